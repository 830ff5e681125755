#include "lab/comparison.h"

#include <algorithm>
#include <array>
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
              .bias_std = score_spread(seen, head, ScorePart::bias),
              .attention_distance = attention_distance(head),
              .attention_entropy = attention_entropy(head),
              .frequency_use = {}};
  if (subject.encoding->stage() == EncodingStage::rotation)
    row.frequency_use =
        frequency_use(head, subject.decoder->encoding.pairing, subject.decoder->encoding.rotary_dim);
  return row;
}

/// The passes without encoding, against which others are measured. Those of the last decoder are kept: subjects
/// that exchange its encoding share them.
class PlainPasses {
 public:
  explicit PlainPasses(const std::vector<TokenId>& ids) : ids_(ids) {}

  const Observation& of(const Decoder& decoder, AttentionMask mask) {
    if (&decoder != decoder_) passes_ = {};
    decoder_ = &decoder;
    std::optional<Observation>& pass = passes_[static_cast<std::size_t>(mask)];
    if (!pass) {
      const auto none = make_encoding("none", decoder.encoding);
      pass = observe(decoder, ids_, {.mask = mask, .encoding = none.get()});
    }
    return *pass;
  }

 private:
  const std::vector<TokenId>& ids_;
  const Decoder* decoder_ = nullptr;
  std::array<std::optional<Observation>, 2> passes_;
};

/// What takes a second pass: against the same weights without encoding, and against the shifted text.
void measure_against(const Subject& subject, const Observation& plain, const Comparison& comparison,
                     Row& row) {
  const std::vector<TokenId>& ids = comparison.text.ids;
  row.pollution = pollution(plain, row.observation);
  if (row.stage == EncodingStage::rotation) {
    row.norm_error = norm_error(plain, row.observation);
    const bool latent = subject.decoder->layers.front().attention->caches_latent();
    if (latent && !subject.decoder->encoding.decoupled)
      row.absorption_error = absorption_error(plain, row.observation);
  }
  const auto end = subject.encoding->positions();
  if (end && comparison.shift + ids.size() > *end) return;
  const Observation shifted =
      observe(*subject.decoder, ids,
              {.mask = row.mask, .encoding = subject.encoding.get(), .first_position = comparison.shift});
  row.shift = shift_error(row.observation, shifted);
}

double mean_of(const std::vector<std::vector<HeadRow>>& layers, double HeadRow::*figure) {
  double sum = 0.0;
  double count = 0.0;
  for (const std::vector<HeadRow>& heads : layers)
    for (const HeadRow& head : heads) {
      sum += head.*figure;
      count += 1.0;
    }
  return sum / count;
}

bool has_window(const Observation& seen) {
  return std::any_of(seen.layers.begin(), seen.layers.end(),
                     [](const LayerObservation& layer) { return layer.heads.front().window.has_value(); });
}

Row measure(const Subject& subject, AttentionMask mask, PlainPasses& plain, const Comparison& comparison) {
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
  for (const LayerObservation& layer : seen.layers) {
    row.heads.emplace_back();
    for (const HeadObservation& head : layer.heads)
      row.heads.back().push_back(measure_head(subject, seen, head, comparison));
  }
  row.score_std = mean_of(row.heads, &HeadRow::score_std);
  row.content_score_std = mean_of(row.heads, &HeadRow::content_score_std);
  row.rotary_score_std = mean_of(row.heads, &HeadRow::rotary_score_std);
  row.bias_std = mean_of(row.heads, &HeadRow::bias_std);
  row.attention_distance = mean_of(row.heads, &HeadRow::attention_distance);
  row.attention_entropy = mean_of(row.heads, &HeadRow::attention_entropy);
  measure_against(subject, plain.of(*subject.decoder, mask), comparison, row);
  if (subject.name == "none" && !row.pair.identical) {
    if (mask == AttentionMask::causal)
      row.remark = "the causal mask alone tells them apart: each sees a different number of tokens";
    else if (has_window(seen))
      row.remark = "the sliding window alone tells them apart: each sees other tokens";
  }
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
  PlainPasses plain(comparison.text.ids);
  for (const Subject& subject : subjects)
    for (const AttentionMask mask : {AttentionMask::bidirectional, AttentionMask::causal})
      comparison.rows.push_back(measure(subject, mask, plain, comparison));
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
  const std::shared_ptr<const Model> model = Model::load(folder, {.precision = Precision::f32});
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
