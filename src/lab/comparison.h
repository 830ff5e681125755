// One sentence under every encoding: what `mla compare` measures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/measures.h"
#include "lab/observation.h"
#include "lab/statistics.h"
#include "lab/trained_result.h"
#include "lab/words.h"
#include "mla/model.h"

namespace mla::lab {

/// A decoder with an encoding put into it.
struct Subject {
  const Decoder* decoder = nullptr;
  std::shared_ptr<const PositionalEncoding> encoding;
  std::string name;
  bool trained = false;  ///< The weights learned with this encoding.
  std::string norm;      ///< Untrained layers: "none" or "rms", the norm in front of the attention.
  std::string remark;    ///< What one should know about this row.
};

/// Every pass keeps matrices of tokens x tokens for each head.
inline constexpr std::size_t kMostComparedTokens = 512;
/// Up to here rows keep what was observed; longer texts' maps would be large and unreadable.
inline constexpr std::size_t kMostTokensWithMaps = 48;

struct HeadRow {
  PairDifference pair = {};
  double score_std = 0.0;
  double content_score_std = 0.0;
  double rotary_score_std = 0.0;
  double bias_std = 0.0;
  double attention_distance = 0.0;
  double attention_entropy = 0.0;
  std::vector<double> frequency_use;  ///< Rotary encodings only.
};

/// One encoding under one mask.
struct Row {
  std::string encoding;
  EncodingStage stage = EncodingStage::nowhere;
  AttentionMask mask = AttentionMask::causal;
  bool trained = false;
  std::string norm;
  std::string remark;

  PairDifference pair = {};
  Pollution pollution = {};
  std::optional<double> norm_error = {};  ///< Rotary encodings only.
  std::optional<ShiftError> shift = {};   ///< Nothing if the encoding ends before the shifted text does.
  double score_std = 0.0;
  double content_score_std = 0.0;
  double rotary_score_std = 0.0;
  double bias_std = 0.0;
  double attention_distance = 0.0;
  double attention_entropy = 0.0;
  std::optional<double> absorption_error = {};  ///< Rotation of whole heads in MLA only.

  std::vector<std::vector<HeadRow>> heads = {};  ///< [layer][head]
  Observation observation = {};                  ///< Without layers beyond kMostTokensWithMaps.
};

struct ComparisonOptions {
  std::string word;        ///< Empty: found in the text.
  std::size_t shift = 16;  ///< Positions by which the shifted pass starts later.
};

struct Comparison {
  TokenizedText text = {};
  std::string word;
  std::size_t first = 0;  ///< Tokens of the word's two places.
  std::size_t second = 0;
  bool same_token = false;
  std::vector<RepeatedWord> repeated = {};
  std::string model;
  std::size_t shift = 0;
  std::vector<Row> rows = {};  ///< For each encoding bidirectional, then causal.

  std::vector<TrainedResult> trained = {};    ///< If the family was evaluated.
  std::optional<Statistics> statistics = {};  ///< And what several seeds gave.
};

/// The family of checkpoints in `folder`, each with the encoding it was trained with, and RoPE on whole heads in
/// the weights of `none`. Throws what loading a family throws, Error(argument) for a word that does not stand
/// twice, Error(limit) for a text of more than kMostComparedTokens or longer than the learned table.
Comparison compare_family(const std::filesystem::path& folder, const std::string& text,
                          const ComparisonOptions& options);

/// One checkpoint, its encoding exchanged. Where it has no learned table one is drawn at random.
Comparison compare_model(const std::filesystem::path& folder, const std::string& text,
                         const ComparisonOptions& options);

/// Untrained layers, without a norm and with one.
Comparison compare_random(const std::string& text, std::uint64_t seed, const ComparisonOptions& options);

}  // namespace mla::lab
