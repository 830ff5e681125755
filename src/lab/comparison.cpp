#include "lab/comparison.h"

#include <algorithm>
#include <utility>

#include "lab/family.h"
#include "lab/normal.h"
#include "lab/random_model.h"
#include "mla/error.h"
#include "model/model_parts.h"
#include "positional/registry.h"

namespace mla::lab {
namespace {

constexpr double kUntrainedTableDeviation = 0.02;  // GPT-2's initializer_range.

std::shared_ptr<const PositionalEncoding> make_encoding(std::string_view name,
                                                        const EncodingSettings& settings) {
  return encoding_named(name).make(settings);
}

/// Settings with a random table in the place of the learned one, if there is none.
EncodingSettings with_table(EncodingSettings settings, std::size_t positions) {
  constexpr std::uint64_t kSeed = 1;
  if (!settings.table)
    settings.table =
        PositionTable{normal_values(kSeed, positions * settings.hidden_size, kUntrainedTableDeviation),
                      settings.hidden_size};
  return settings;
}

HeadRow measure_head(const Subject& subject, const Observation& seen, const HeadObservation& head,
                     const Comparison& comparison) {
  HeadRow row{.pair = compare_contexts(head, comparison.first, comparison.second),
              .score_std = score_spread(seen, head, ScorePart::all),
              .content_score_std = score_spread(seen, head, ScorePart::content),
              .rotary_score_std = score_spread(seen, head, ScorePart::rotary),
              .attention_distance = attention_distance(head),
              .attention_entropy = attention_entropy(head),
              .frequency_use = {}};
  if (subject.encoding->stage() == EncodingStage::rotation)
    row.frequency_use = frequency_use(head, subject.decoder->encoding.pairing);
  return row;
}

/// What takes a second pass: against the same weights without encoding, and against the shifted text.
void measure_against(const Subject& subject, const Comparison& comparison, Row& row) {
  const std::vector<TokenId>& ids = comparison.text.ids;
  const auto none = make_encoding("none", subject.decoder->encoding);
  const Observation plain = observe(*subject.decoder, ids, {.mask = row.mask, .encoding = none.get()});
  row.pollution = pollution(plain, row.observation);
  if (row.stage == EncodingStage::rotation) {
    row.norm_error = norm_error(plain, row.observation);
    if (!subject.decoder->encoding.decoupled) row.absorption_error = absorption_error(plain, row.observation);
  }
  const auto end = subject.encoding->positions();
  if (end && comparison.shift + ids.size() > *end) return;
  const Observation shifted =
      observe(*subject.decoder, ids,
              {.mask = row.mask, .encoding = subject.encoding.get(), .first_position = comparison.shift});
  row.shift = shift_error(row.observation, shifted);
}

Row measure(const Subject& subject, AttentionMask mask, const Comparison& comparison) {
  Row row{.encoding = subject.name,
          .stage = subject.encoding->stage(),
          .mask = mask,
          .trained = subject.trained,
          .norm = subject.norm,
          .remark = subject.remark};
  row.observation =
      observe(*subject.decoder, comparison.text.ids, {.mask = mask, .encoding = subject.encoding.get()});
  const Observation& seen = row.observation;
  row.pair = compare_contexts(seen, comparison.first, comparison.second);
  const auto spread = [&](ScorePart part) {
    return mean_over_heads(seen, [&](const HeadObservation& head) { return score_spread(seen, head, part); });
  };
  row.score_std = spread(ScorePart::all);
  row.content_score_std = spread(ScorePart::content);
  row.rotary_score_std = spread(ScorePart::rotary);
  row.bias_std = spread(ScorePart::bias);
  row.attention_distance = mean_over_heads(seen, attention_distance);
  row.attention_entropy = mean_over_heads(seen, attention_entropy);
  for (const LayerObservation& layer : seen.layers) {
    row.heads.emplace_back();
    for (const HeadObservation& head : layer.heads)
      row.heads.back().push_back(measure_head(subject, seen, head, comparison));
  }
  measure_against(subject, comparison, row);
  if (subject.name == "none" && mask == AttentionMask::causal && !row.pair.identical)
    row.remark = "the causal mask alone tells them apart: each sees a different number of tokens";
  if (seen.tokens > kMostTokensWithMaps) row.observation.layers.clear();
  return row;
}

Comparison prepare(TokenizedText text, std::string model, const ComparisonOptions& options) {
  if (text.ids.size() > kMostComparedTokens)
    throw Error(ErrorCode::limit, "", "text",
                "found " + std::to_string(text.ids.size()) + " tokens, expected at most " +
                    std::to_string(kMostComparedTokens));
  const RepeatedWord word = choose_word(text, options.word);
  Comparison comparison{.text = std::move(text),
                        .word = word.word,
                        .first = word.tokens[0],
                        .second = word.tokens[1],
                        .model = std::move(model),
                        .shift = options.shift};
  comparison.same_token = comparison.text.ids[comparison.first] == comparison.text.ids[comparison.second];
  comparison.repeated = repeated_words(comparison.text);
  return comparison;
}

/// Measures all subjects. A table that is too short is found before the work begins.
void add_rows(const std::vector<Subject>& subjects, Comparison& comparison) {
  for (const Subject& subject : subjects) {
    PositionBatch batch{.first = 0, .count = comparison.text.ids.size()};
    subject.encoding->prepare(batch);
  }
  for (const Subject& subject : subjects)
    for (const AttentionMask mask : {AttentionMask::bidirectional, AttentionMask::causal})
      comparison.rows.push_back(measure(subject, mask, comparison));
}

/// Encodings that fit a decoder: RoPE goes by the name that says where it rotates.
bool fits(std::string_view name, const EncodingSettings& settings) {
  if (name == "rope") return !settings.decoupled && settings.rotary_dim % 2 == 0;
  if (name == "rope-decoupled") return settings.decoupled;
  return true;
}

}  // namespace

Comparison compare_family(const std::filesystem::path& folder, const std::string& text,
                          const ComparisonOptions& options) {
  const std::vector<FamilyMember> members = load_family(folder);
  std::vector<Subject> subjects;
  for (const EncodingEntry* entry : encodings()) {
    const bool whole_heads = entry->name == "rope";
    const std::string_view weights = whole_heads ? "none" : entry->name;
    const auto member = std::find_if(members.begin(), members.end(),
                                     [&](const FamilyMember& one) { return one.encoding == weights; });
    if (member == members.end()) continue;
    const Decoder& decoder = member->model->parts().decoder;
    subjects.push_back(
        {.decoder = &decoder,
         .encoding = make_encoding(entry->name, decoder.encoding),
         .name = std::string(entry->name),
         .trained = !whole_heads,
         .norm = {},
         .remark = whole_heads ? "rotation of whole heads, put into the weights of none" : ""});
  }
  Comparison comparison = prepare(tokenize(*members.front().tokenizer, text), folder.string(), options);
  add_rows(subjects, comparison);
  return comparison;
}

Comparison compare_model(const std::filesystem::path& folder, const std::string& text,
                         const ComparisonOptions& options) {
  const std::shared_ptr<const Model> model = Model::load(folder);
  const Decoder& decoder = model->parts().decoder;
  const std::string& own = model->info().trained_position_encoding;
  Comparison comparison = prepare(tokenize(*Tokenizer::load(folder), text), folder.string(), options);
  const EncodingSettings settings =
      with_table(decoder.encoding, comparison.text.ids.size() + comparison.shift);
  std::vector<Subject> subjects;
  for (const EncodingEntry* entry : encodings()) {
    if (!fits(entry->name, settings)) continue;
    const bool drawn = entry->name == "learned" && !decoder.encoding.table;
    subjects.push_back({.decoder = &decoder,
                        .encoding = make_encoding(entry->name, settings),
                        .name = std::string(entry->name),
                        .trained = entry->name == own,
                        .norm = {},
                        .remark = drawn ? "a table drawn at random: the checkpoint has none" : ""});
  }
  add_rows(subjects, comparison);
  return comparison;
}

Comparison compare_random(const std::string& text, std::uint64_t seed, const ComparisonOptions& options) {
  Comparison comparison = prepare(tokenize_by_word(text), "random", options);
  const std::size_t vocab_size = comparison.text.ids.size();
  std::vector<std::unique_ptr<RandomModel>> models;
  std::vector<Subject> subjects;
  for (const bool normalized : {false, true})
    for (const EncodingEntry* entry : encodings()) {
      models.push_back(
          std::make_unique<RandomModel>(RandomModelOptions{.vocab_size = vocab_size,
                                                           .decoupled = entry->name == "rope-decoupled",
                                                           .scaled = entry->name == "sinusoidal",
                                                           .normalized = normalized,
                                                           .seed = seed}));
      const Decoder& decoder = models.back()->decoder();
      const EncodingSettings settings =
          with_table(decoder.encoding, comparison.text.ids.size() + comparison.shift);
      subjects.push_back({.decoder = &decoder,
                          .encoding = make_encoding(entry->name, settings),
                          .name = std::string(entry->name),
                          .trained = false,
                          .norm = normalized ? "rms" : "none",
                          .remark = {}});
    }
  add_rows(subjects, comparison);
  return comparison;
}

}  // namespace mla::lab
