// Reads the two documents that the report is made of. Whatever a document lacks, or has as null, is nothing.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mla::lab {

using Json = nlohmann::ordered_json;

/// What an encoding says of its positions: one row a position. Ends where the encoding ends.
using EncodingValues = std::vector<std::vector<double>>;

struct Estimate {
  double value = 0.0;
  std::optional<double> half_width;  ///< Of the confidence interval, if several seeds were measured.
};

class ReportData {
 public:
  /// Keeps references to both.
  ReportData(const Json& comparison, const Json& encodings)
      : comparison_(comparison), encodings_(encodings) {}

  const Json& comparison() const { return comparison_; }
  std::string text(std::string_view key) const;
  std::vector<std::string> tokens() const;
  std::vector<std::size_t> positions() const;  ///< Of the two words.
  bool same_token() const;

  const Json& rows() const;
  /// Null if there is none. Without a mask the bidirectional row, else the causal one.
  const Json* row(std::string_view encoding, std::string_view mask) const;
  const Json* row(std::string_view encoding) const;
  std::optional<double> figure(std::string_view encoding, std::string_view key) const;
  std::optional<double> figure(std::string_view encoding, std::string_view mask, std::string_view key) const;

  /// Names of those in `rows` that add to the embedding, in the order of the rows.
  std::vector<std::string> additive() const;
  std::vector<std::string> encodings_in_rows() const;

  /// The document of `mla encodings`; null if there is none.
  const Json* encoding(std::string_view name) const;
  EncodingValues values(std::string_view name) const;
  /// A list of numbers in that document; empty if there is none, or one of them is null.
  std::vector<double> numbers(std::string_view name, std::string_view key) const;
  /// Radians a position of each rotated pair, of `rope` or `rope-decoupled`.
  std::vector<double> frequencies() const;

  bool has_trained() const { return !trained_names().empty(); }
  std::vector<std::string> trained_names() const;
  const Json* trained(std::string_view encoding) const;
  /// `task`: perplexity, copy, word_order, coreference, phase_shift; `at`: "1", "2", ... The mean over seeds
  /// where there are statistics, else the shipped model's own.
  std::optional<Estimate> trained(std::string_view encoding, std::string_view task,
                                  std::string_view at) const;
  bool has_statistics() const;

 private:
  const Json& comparison_;
  const Json& encodings_;
};

/// The number at `key` of an object, or nothing.
std::optional<double> number_at(const Json& object, std::string_view key);
bool flag_at(const Json& object, std::string_view key);
std::string text_at(const Json& object, std::string_view key);

/// The row's encoding; where a row says which norm its untrained layer has, that as well.
std::string row_label(const Json& row);

/// An array of arrays of numbers; what is not a number becomes NaN.
std::vector<std::vector<double>> matrix_of(const Json& value);

}  // namespace mla::lab
