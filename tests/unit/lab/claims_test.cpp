#include "lab/claims.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "unit/lab/report_documents.h"

using namespace mla::lab;
using mla::report_test::comparison;
using mla::report_test::encodings;
using mla::report_test::row_of;
using mla::report_test::trained_model;

namespace {

Claim claim_of(const Json& document, std::string_view id, const Json& studies = encodings()) {
  const auto claims = judge(ReportData(document, studies));
  const auto found = std::ranges::find(claims, id, &Claim::id);
  REQUIRE(found != claims.end());
  return *found;
}

Verdict verdict_of(const Json& document, std::string_view id) {
  return claim_of(document, id).verdict;
}

}  // namespace

TEST_CASE("claims: each has its own name, text and evidence", "[lab]") {
  const Json document = comparison();
  const Json studies = encodings();
  std::set<std::string_view> ids;
  for (const auto& claim : judge(ReportData(document, studies))) {
    CHECK(ids.insert(claim.id).second);
    CHECK_FALSE(claim.claim.empty());
    CHECK_FALSE(claim.evidence.empty());
  }
}

TEST_CASE("claims: without an encoding the vectors are the same, unless the mask parts them", "[lab]") {
  Json document = comparison();
  CHECK(verdict_of(document, "none-equal") == Verdict::confirmed);
  CHECK(verdict_of(document, "none-causal") == Verdict::refuted);
  row_of(document, "none")["identical"] = false;
  CHECK(verdict_of(document, "none-equal") == Verdict::limited);
  row_of(document, "none")["identical_1e6"] = false;
  CHECK(verdict_of(document, "none-equal") == Verdict::refuted);
  row_of(document, "none", "causal")["identical_1e6"] = true;
  CHECK(verdict_of(document, "none-causal") == Verdict::confirmed);
  document["same_token"] = false;
  CHECK(verdict_of(document, "none-equal") == Verdict::unmeasured);
}

TEST_CASE("claims: integer swamps and pollutes most", "[lab]") {
  Json document = comparison();
  CHECK(verdict_of(document, "integer-swamps") == Verdict::confirmed);
  CHECK(claim_of(document, "integer-swamps").evidence.find("7.25") != std::string::npos);
  CHECK(verdict_of(document, "integer-worst") == Verdict::confirmed);
  row_of(document, "integer")["pollution_cosine"] = 0.81;
  CHECK(verdict_of(document, "integer-swamps") == Verdict::limited);
  CHECK(verdict_of(document, "integer-worst") == Verdict::refuted);
  row_of(document, "integer")["norm_inflation"] = 1.01;
  row_of(document, "integer")["pollution_cosine"] = 0.97;
  CHECK(verdict_of(document, "integer-swamps") == Verdict::refuted);
}

TEST_CASE("claims: what adds pollutes", "[lab]") {
  Json document = comparison();
  CHECK(verdict_of(document, "additive-pollute") == Verdict::confirmed);
  CHECK(verdict_of(document, "binary-harmless") == Verdict::refuted);
  row_of(document, "binary")["pollution_cosine"] = 0.96;
  CHECK(verdict_of(document, "binary-harmless") == Verdict::limited);
  row_of(document, "binary")["pollution_cosine"] = 0.995;
  CHECK(verdict_of(document, "binary-harmless") == Verdict::confirmed);
  CHECK(verdict_of(document, "additive-pollute") == Verdict::limited);
}

TEST_CASE("claims: the shapes of bits and waves", "[lab]") {
  const Json document = comparison();
  for (const char* id : {"binary-bits", "binary-jumps", "sinusoidal-smooth", "sinusoidal-speeds"})
    CHECK(verdict_of(document, id) == Verdict::confirmed);
  // From 63 to 64 seven bits flip: sqrt(7) = 2.65.
  CHECK(claim_of(document, "binary-jumps").evidence.find("2.65 at the most, from position 63") !=
        std::string::npos);
  CHECK(claim_of(document, "binary-bits").evidence.find("the 7 lowest bits") != std::string::npos);
  // The waves are perfect, the scores in the rows are not.
  CHECK(verdict_of(document, "sinusoidal-distance") == Verdict::limited);

  Json broken = encodings();
  broken[0]["values"][5][0] = 0;
  CHECK(claim_of(document, "binary-bits", broken).verdict == Verdict::refuted);
  std::swap(broken[0]["name"], broken[1]["name"]);
  CHECK(claim_of(document, "sinusoidal-smooth", broken).verdict == Verdict::refuted);
  CHECK(claim_of(document, "sinusoidal-speeds", broken).verdict == Verdict::refuted);
  CHECK(claim_of(document, "sinusoidal-distance", broken).verdict == Verdict::refuted);
  CHECK(claim_of(document, "binary-jumps", broken).verdict == Verdict::refuted);
}

TEST_CASE("claims: RoPE keeps norms and distances", "[lab]") {
  Json document = comparison();
  for (const char* id : {"rope-norms", "rope-distance", "rope-clean", "mla-norms", "mla-distance",
                         "alibi-distance", "alibi-clean", "rope-visible", "mla-absorb"})
    CHECK(verdict_of(document, id) == Verdict::confirmed);
  row_of(document, "rope")["norm_error"] = 5e-5;
  CHECK(verdict_of(document, "rope-norms") == Verdict::limited);
  row_of(document, "rope")["norm_error"] = 5e-3;
  CHECK(verdict_of(document, "rope-norms") == Verdict::refuted);
  CHECK(verdict_of(document, "mla-norms") == Verdict::confirmed);
  row_of(document, "rope-decoupled")["shift_error"] = 0.01;
  CHECK(verdict_of(document, "mla-distance") == Verdict::limited);
  row_of(document, "rope-decoupled")["shift_error"] = 0.1;
  CHECK(verdict_of(document, "mla-distance") == Verdict::refuted);
  row_of(document, "rope")["absorption_error"] = 0.02;
  CHECK(verdict_of(document, "mla-absorb") == Verdict::limited);
  row_of(document, "rope")["absorption_error"] = nullptr;
  CHECK(verdict_of(document, "mla-absorb") == Verdict::unmeasured);
  row_of(document, "rope")["cosine"] = 0.9999;
  CHECK(verdict_of(document, "rope-visible") == Verdict::limited);
  row_of(document, "rope")["pollution_cosine"] = 0.9;
  CHECK(verdict_of(document, "rope-clean") == Verdict::refuted);
}

TEST_CASE("claims: the trained family", "[lab]") {
  Json document = comparison();
  CHECK(verdict_of(document, "trained-best") == Verdict::unmeasured);
  document["trained"] = {trained_model("none", 9.0), trained_model("integer", 8.0),
                         trained_model("binary", 7.0), trained_model("sinusoidal", 6.9),
                         trained_model("rope-decoupled", 5.0)};
  CHECK(verdict_of(document, "trained-best") == Verdict::confirmed);
  CHECK(verdict_of(document, "trained-none") == Verdict::refuted);
  CHECK(claim_of(document, "trained-best").evidence.find("within 5 %") == std::string::npos);
  CHECK(verdict_of(document, "trained-integer") == Verdict::refuted);
  CHECK(verdict_of(document, "trained-binary") == Verdict::refuted);
  CHECK(verdict_of(document, "trained-rope-length") == Verdict::refuted);
  CHECK(verdict_of(document, "trained-rope-shift") == Verdict::refuted);

  document["trained"][4]["perplexity"] = {{"1", 7.5}, {"2", 7.6}, {"4", 7.7}};
  document["trained"][4]["phase_shift"]["128"] = 5.0;
  document["trained"][0]["word_order"]["1"] = 0.5;
  document["trained"][1]["perplexity"]["1"] = 20.0;
  document["trained"][2]["perplexity"]["1"] = 9.0;
  CHECK(verdict_of(document, "trained-best") == Verdict::refuted);
  // sinusoidal 6.9, rope-decoupled 7.5, ...: none is close to the best.
  document["trained"][4]["perplexity"]["1"] = 7.0;
  CHECK(claim_of(document, "trained-best").evidence.find("The first 2 lie within 5 %") != std::string::npos);
  document["trained"][4]["perplexity"]["1"] = 7.5;
  CHECK(verdict_of(document, "trained-none") == Verdict::limited);
  CHECK(verdict_of(document, "trained-integer") == Verdict::confirmed);
  CHECK(verdict_of(document, "trained-binary") == Verdict::confirmed);
  CHECK(verdict_of(document, "trained-rope-length") == Verdict::confirmed);
  CHECK(verdict_of(document, "trained-rope-shift") == Verdict::confirmed);
}

TEST_CASE("claims: a learned table ends", "[lab]") {
  Json document = comparison();
  document["trained"] = {trained_model("learned", 6.0)};
  CHECK(verdict_of(document, "learned-ends") == Verdict::refuted);
  document["trained"][0]["perplexity"] = {{"1", 6.0}, {"2", nullptr}, {"4", nullptr}};
  CHECK(verdict_of(document, "learned-ends") == Verdict::confirmed);
}

TEST_CASE("claims: means over seeds go before the shipped seed", "[lab]") {
  Json document = comparison();
  document["trained"] = {trained_model("none", 9.0)};
  document["statistics"] = {
      {"seeds", 3},
      {"confidence", 0.95},
      {"rows", {{{"encoding", "none"}, {"word_order", {{"1", {{"mean", 0.52}, {"half_width", 0.04}}}}}}}}};
  const Claim claim = claim_of(document, "trained-none");
  CHECK(claim.verdict == Verdict::limited);
  CHECK(claim.evidence.find("52.0 ± 4.0 %") != std::string::npos);
}
