#include "lab/comparison_text.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <set>
#include <string_view>

#include "lab/trained_text.h"
#include "tokenizer/utf8.h"

namespace mla::lab {
namespace {

constexpr double kNormsKept = 1e-6;

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(text, sizeof text, pattern, arguments);
  va_end(arguments);
  return text;
}

/// Breaks lines at spaces so that none is longer than the table; what follows in a line is indented.
std::string wrapped(const std::string& text) {
  std::string result;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find_first_of(" \n", at + 1), text.size());
    if (end - at > kTableColumns - 2) {  // Longer than a line: broken between two characters.
      end = at + kTableColumns - 2;
      end -= unfinished_utf8(text.substr(at, end - at));
    }
    if (column > 0 && column + end - at > kTableColumns && text[at] != '\n') {
      const std::string_view indent = text[at] == ' ' ? " " : "  ";
      result.append("\n").append(indent);
      column = indent.size();
    }
    result.append(text, at, end - at);
    column = text[at] == '\n' ? end - at - 1 : column + end - at;
    at = end;
  }
  return result;
}

/// A number with `digits` behind the point, or fewer where it would not fit into `width`.
std::string within(std::size_t width, int digits, double value) {
  std::string text = format("%.*f", digits, value);
  if (text.size() > width) text = format("%.0f", value);
  return text.size() > width ? format("%.1e", value) : text;
}

/// In quotation marks, on one line, cut to about `most` bytes.
std::string quoted(std::string text, std::size_t most) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  text = repair_utf8(text);
  std::replace_if(text.begin(), text.end(), is_control, ' ');
  if (text.size() > most) {
    text.resize(most);
    text.resize(text.size() - unfinished_utf8(text));
    text.append("...");
  }
  return "\"" + text + "\"";
}

std::string verdict(const PairDifference& pair) {
  if (pair.identical) return "identical";
  return pair.identical_1e6 ? "< 1e-6" : "different";
}

std::string line_of(const Row& row) {
  const std::string name = row.encoding + (row.trained || !row.norm.empty() ? "" : "*");
  // An encoding that does not add leaves the embedding as it is: what a rotation does to lengths stands there.
  const std::string length =
      row.norm_error ? format("1 +-%.0e", *row.norm_error) : format("%.4g", row.pollution.norm_inflation);
  const std::string shift = row.shift ? format("%.1e", row.shift->mean) : "-";
  return format("%-15s %-6s %-9s %8.5f %8s %9s %8.4f %9s %8s %5s %5.2f\n", name.c_str(),
                row.mask == AttentionMask::causal ? "causal" : "bidir", verdict(row.pair).c_str(),
                row.pair.cosine, within(8, 4, row.pair.l2).c_str(), length.c_str(), row.pollution.cosine,
                shift.c_str(), within(8, 4, row.score_std).c_str(),
                within(5, 2, row.attention_distance).c_str(), row.attention_entropy);
}

std::string header() {
  std::string text = format("%-22s %-27s %-18s %-18s %s\n", "", "context vectors of the two", "embedding",
                            "scores", "attention");
  text += format("%-15s %-6s %-9s %8s %8s %9s %8s %9s %8s %5s %5s\n", "encoding", "mask", "", "cosine", "L2",
                 "|x+p|/|x|", "cos", "shift err", "spread", "dist", "entr");
  return text + std::string(kTableColumns, '-') + "\n";
}

std::string title(const Comparison& comparison) {
  const auto& layers = comparison.rows.front().heads;
  std::string text = quoted(comparison.text.text, 3 * kTableColumns) + "\n";
  text.append(quoted(comparison.word, kTableColumns / 2));
  text.append(format(" at positions %zu and %zu of %zu tokens; %zu %s of %zu heads; ", comparison.first,
                     comparison.second, comparison.text.ids.size(), layers.size(),
                     layers.size() == 1 ? "layer" : "layers", layers.front().size()));
  text.append(comparison.model).append("\n");
  if (!comparison.same_token)
    text.append("The two are different tokens (")
        .append(quoted(comparison.text.pieces[comparison.first], kTableColumns / 4))
        .append(", ")
        .append(quoted(comparison.text.pieces[comparison.second], kTableColumns / 4))
        .append("): they differ before any encoding.\n");
  return text;
}

/// The remarks of the rows, each once.
std::string remarks(const Comparison& comparison) {
  std::string text;
  std::set<std::string> said;
  bool starred = false;
  for (const Row& row : comparison.rows) {
    starred = starred || (!row.trained && row.norm.empty());
    if (row.remark.empty() || !said.insert(row.encoding + row.remark).second) continue;
    const std::string mask = row.mask == AttentionMask::causal ? ", causal" : ", bidirectional";
    const bool mask_matters = row.encoding == "none";
    text += row.encoding + (mask_matters ? mask : "") + ": " + row.remark + ".\n";
  }
  if (starred) text = "* exchanged: the weights were not trained with this encoding.\n" + text;
  return text;
}

std::string rotary_findings(const Comparison& comparison) {
  std::string text;
  for (const Row& row : comparison.rows) {
    if (!row.norm_error || row.mask != AttentionMask::bidirectional || row.norm == "none") continue;
    const double error = *row.norm_error;
    text += row.encoding + ": " +
            format(error <= kNormsKept ? "norms of q and k kept to 1e-6 (%.1e)"
                                       : "norms of q and k change by %.1e",
                   error);
    if (row.shift) {
      const double relative = row.shift->mean / row.score_std;
      text += format("; moved by %zu positions its scores change by %.1e of their spread%s", comparison.shift,
                     relative, relative <= kNormsKept * 10.0 ? " (rounding)" : "");
    }
    text += ".\n";
    if (row.absorption_error)
      text += "  Absorbing W_UK as if no rotation stood between would miss the scores by " +
              format("%.0f%% of their spread: hence DeepSeek's decoupling.\n", 100.0 * *row.absorption_error);
    if (row.rotary_score_std > 0.0)
      text += format("  Its scores spread by %.3f in the content part and %.3f in the rotary part.\n",
                     row.content_score_std, row.rotary_score_std);
  }
  return text;
}

std::string pollution_finding(const Comparison& comparison) {
  const Row* most = nullptr;
  for (const Row& row : comparison.rows)
    if (row.stage == EncodingStage::embedding &&
        (most == nullptr || row.pollution.cosine < most->pollution.cosine))
      most = &row;
  if (most == nullptr) return {};
  std::string text = most->encoding + " pollutes most: the sum has " +
                     format("cosine %.3f to the embedding and %.3g times its length", most->pollution.cosine,
                            most->pollution.norm_inflation);
  if (most->encoding == "integer")
    text += format("; behind LayerNorm, which takes the mean off, %.3f", most->pollution.centered_cosine);
  return text + ".\n";
}

}  // namespace

std::string to_text(const Comparison& comparison) {
  std::string text = wrapped(title(comparison));
  text.append("\n").append(header());
  std::string norm;
  for (const Row& row : comparison.rows) {
    if (row.norm != norm) text.append(row.norm == "none" ? "without a norm:\n" : "behind RMSNorm:\n");
    norm = row.norm;
    text.append(line_of(row));
  }
  text.append("\n").append(
      wrapped(remarks(comparison) + pollution_finding(comparison) + rotary_findings(comparison)));
  if (!comparison.trained.empty()) text.append("\n").append(trained_table(comparison.trained));
  if (comparison.statistics) text.append("\n").append(statistics_tables(*comparison.statistics));
  return text;
}

}  // namespace mla::lab
