#include "lab/claims.h"

#include <iterator>

#include "lab/report_numbers.h"

namespace mla::lab {

std::string_view verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::confirmed:
      return "Confirmed";
    case Verdict::limited:
      return "Holds with a limit";
    case Verdict::refuted:
      return "Not confirmed";
    case Verdict::unmeasured:
      break;
  }
  return "Not measured here";
}

std::vector<Claim> judge_unencoded(const ReportData& data) {
  Claim equal{
      "none-equal", "Without an encoding, two equal words get the same context vector.", Verdict::unmeasured,
      "It takes a bidirectional row of the encoding none, and a word whose two places are the same token."};
  Claim causal{"none-causal", "So a decoder without an encoding cannot tell them apart.", Verdict::unmeasured,
               "It takes a causal row of the encoding none."};
  const Json* both_ways = data.row("none", "bidirectional");
  if (both_ways != nullptr && data.same_token()) {
    if (flag_at(*both_ways, "identical")) {
      equal.verdict = Verdict::confirmed;
      equal.evidence = "The two vectors agree in every bit, in every layer and head.";
    } else if (flag_at(*both_ways, "identical_1e6")) {
      equal.verdict = Verdict::limited;
      equal.evidence = "The two vectors agree to 10⁻⁶, but not in every bit.";
    } else {
      equal.verdict = Verdict::refuted;
      equal.evidence = "The two vectors have cosine " + figure_text(number_at(*both_ways, "cosine")) +
                       " and lie " + figure_text(number_at(*both_ways, "l2")) + " apart.";
    }
  }
  if (const Json* row = data.row("none", "causal"); row != nullptr) {
    const bool same = flag_at(*row, "identical_1e6");
    causal.verdict = same ? Verdict::confirmed : Verdict::refuted;
    causal.evidence =
        same ? "Under the causal mask the two vectors agree to 10⁻⁶."
             : "Under the causal mask each word sees another past. That alone parts the vectors: cosine " +
                   figure_text(number_at(*row, "cosine")) + ", distance " +
                   figure_text(number_at(*row, "l2")) + ".";
  }
  return {equal, causal};
}

std::vector<Claim> judge(const ReportData& data) {
  std::vector<Claim> claims;
  for (const auto part : {judge_unencoded, judge_additive, judge_rotation, judge_trained}) {
    auto some = part(data);
    std::move(some.begin(), some.end(), std::back_inserter(claims));
  }
  return claims;
}

}  // namespace mla::lab
