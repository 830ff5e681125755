#include "lab/comparison_json.h"

#include <cmath>

#include "lab/encoding_study.h"
#include "lab/trained_json.h"
#include "tokenizer/utf8.h"

namespace mla::lab {
namespace {

using OrderedJson = nlohmann::ordered_json;

template <typename Value>
OrderedJson or_null(const std::optional<Value>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

/// Six digits, as much as float32 says.
double rounded(float value) {
  constexpr double kDigits = 1e6;
  const double x = static_cast<double>(value);
  if (x == 0.0) return 0.0;
  const double step = std::pow(10.0, std::ceil(std::log10(std::abs(x))));
  return std::round(x / step * kDigits) * step / kDigits;
}

OrderedJson matrix(const Grid& grid) {
  OrderedJson rows = OrderedJson::array();
  for (std::size_t row = 0; row < grid.rows; ++row) {
    OrderedJson values = OrderedJson::array();
    for (const float value : grid.row(row)) values.push_back(rounded(value));
    rows.push_back(std::move(values));
  }
  return rows;
}

/// `seen` is null where the row keeps no maps.
OrderedJson head_json(const Row& row, const HeadRow& head, const HeadObservation* seen) {
  OrderedJson json = {{"identical", head.pair.identical},
                      {"cosine", head.pair.cosine},
                      {"l2", head.pair.l2},
                      {"score_std", head.score_std},
                      {"content_score_std", head.content_score_std},
                      {"rotary_score_std", head.rotary_score_std},
                      {"attention_distance", head.attention_distance},
                      {"attention_entropy", head.attention_entropy}};
  if (!head.frequency_use.empty()) json["frequency_use"] = head.frequency_use;
  if (seen == nullptr) return json;
  json["attention"] = matrix(seen->probabilities);
  json["content_scores"] = matrix(seen->content_scores);
  if (seen->k_rotary.cols > 0) json["rotary_scores"] = matrix(seen->rotary_scores);
  if (row.stage == EncodingStage::scores) json["bias"] = matrix(seen->bias);
  return json;
}

OrderedJson row_json(const Row& row) {
  OrderedJson json;
  json["encoding"] = row.encoding;
  json["mask"] = row.mask == AttentionMask::causal ? "causal" : "bidirectional";
  json["stage"] = stage_name(row.stage);
  json["trained"] = row.trained;
  if (!row.norm.empty()) json["norm"] = row.norm;
  json["identical"] = row.pair.identical;
  json["identical_1e6"] = row.pair.identical_1e6;
  json["cosine"] = row.pair.cosine;
  json["l2"] = row.pair.l2;
  json["norm_inflation"] = row.pollution.norm_inflation;
  json["pollution_cosine"] = row.pollution.cosine;
  json["centered_cosine"] = row.pollution.centered_cosine;
  json["norm_error"] = or_null(row.norm_error);
  json["shift_error"] = row.shift ? OrderedJson(row.shift->mean) : OrderedJson(nullptr);
  json["shift_error_max"] = row.shift ? OrderedJson(row.shift->largest) : OrderedJson(nullptr);
  json["score_std"] = row.score_std;
  json["content_score_std"] = row.content_score_std;
  json["rotary_score_std"] = row.rotary_score_std;
  json["bias_std"] = row.bias_std;
  json["attention_distance"] = row.attention_distance;
  json["attention_entropy"] = row.attention_entropy;
  json["absorption_error"] = or_null(row.absorption_error);
  json["remark"] = row.remark;
  json["layers"] = OrderedJson::array();
  const bool maps = !row.observation.layers.empty();
  for (std::size_t layer = 0; layer < row.heads.size(); ++layer) {
    OrderedJson heads = OrderedJson::array();
    for (std::size_t head = 0; head < row.heads[layer].size(); ++head)
      heads.push_back(head_json(row, row.heads[layer][head],
                                maps ? &row.observation.layers[layer].heads[head] : nullptr));
    json["layers"].push_back({{"heads", std::move(heads)}});
  }
  return json;
}

}  // namespace

OrderedJson to_json(const Comparison& comparison) {
  OrderedJson json;
  json["text"] = repair_utf8(comparison.text.text);
  json["word"] = comparison.word;
  json["positions"] = {comparison.first, comparison.second};
  json["tokens"] = OrderedJson::array();
  for (const std::string& piece : comparison.text.pieces) json["tokens"].push_back(repair_utf8(piece));
  json["same_token"] = comparison.same_token;
  json["repeated_words"] = OrderedJson::array();
  for (const RepeatedWord& word : comparison.repeated) json["repeated_words"].push_back(word.word);
  json["model"] = comparison.model;
  json["shift"] = comparison.shift;
  json["rows"] = OrderedJson::array();
  for (const Row& row : comparison.rows) json["rows"].push_back(row_json(row));
  json["trained"] = OrderedJson::array();
  for (const TrainedResult& result : comparison.trained) json["trained"].push_back(to_json(result));
  json["statistics"] = comparison.statistics ? to_json(*comparison.statistics) : OrderedJson(nullptr);
  return json;
}

}  // namespace mla::lab
