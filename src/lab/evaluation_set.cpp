#include "lab/evaluation_set.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "base/file.h"
#include "base/json.h"
#include "mla/error.h"

namespace mla::lab {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 28;

std::vector<std::string> read_lines(const std::filesystem::path& file) {
  const std::string text = read_file(file, kMostBytes);
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (lines.empty())
    throw Error(ErrorCode::format, file.string(), "", "found no lines, expected at least one");
  return lines;
}

std::string place_of(const std::filesystem::path& file, std::size_t index) {
  return file.string() + ":" + std::to_string(index + 1);
}

ProbeTask read_task(const JsonField& field) {
  std::string names;
  for (const auto& [task, name] : kProbeTasks) {
    if (field.as_string() == name) return task;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  field.fail("found \"" + field.as_string() + "\", expected one of " + names);
}

std::size_t read_length(const JsonField& field) {
  const auto length = static_cast<std::size_t>(field.as_int(kLengths.front(), kLengths.back()));
  if (std::find(kLengths.begin(), kLengths.end(), length) == kLengths.end())
    field.fail("found " + std::to_string(length) + ", expected 1, 2 or 4");
  return length;
}

std::string read_text(const JsonField& field) {
  if (field.as_string().empty()) field.fail("found an empty text, expected one that is not");
  return field.as_string();
}

void refuse_other_keys(const JsonField& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object.json().items())
    if (std::find(known.begin(), known.end(), key) == known.end()) object.get(key).fail("unknown key");
}

Probe read_probe(const std::string& line, const std::string& place) {
  const Json document = parse_json(line, place);
  const JsonField field(document, place);
  Probe probe;
  probe.place = place;
  probe.task = read_task(field.get("task"));
  probe.length = read_length(field.get("length"));
  probe.prompt = read_text(field.get("prompt"));
  if (probe.task == ProbeTask::copy) {
    refuse_other_keys(field, {"task", "length", "prompt", "continuation"});
    probe.continuations = {read_text(field.get("continuation"))};
    return probe;
  }
  refuse_other_keys(field, {"task", "length", "prompt", "choices", "answer"});
  const JsonField choices = field.get("choices");
  if (choices.array_size() != 2)
    choices.fail("found " + std::to_string(choices.array_size()) + " elements, expected 2");
  probe.continuations = {read_text(choices.element(0)), read_text(choices.element(1))};
  if (probe.continuations[0] == probe.continuations[1])
    choices.fail("found the same choice twice, expected two different ones");
  probe.answer = static_cast<std::size_t>(field.get("answer").as_int(0, 1));
  return probe;
}

/// The tokens that `text` adds to `prompt`.
std::vector<TokenId> continuation_tokens(const Probe& probe, const std::vector<TokenId>& prompt,
                                         const std::string& text, const Tokenizer& tokenizer) {
  const std::vector<TokenId> whole = tokenizer.encode(probe.prompt + text);
  if (whole.size() <= prompt.size() || !std::equal(prompt.begin(), prompt.end(), whole.begin())) {
    throw Error(
        ErrorCode::mismatch, probe.place, "prompt",
        "its tokens change when \"" + text + "\" follows, expected a prompt that ends between tokens");
  }
  return {whole.begin() + static_cast<std::ptrdiff_t>(prompt.size()), whole.end()};
}

TokenizedProbe tokenize_probe(const Probe& probe, const Tokenizer& tokenizer, std::size_t trained_length) {
  TokenizedProbe result{probe.task, probe.length, tokenizer.encode(probe.prompt), {}, probe.answer};
  if (result.prompt.empty())
    throw Error(ErrorCode::mismatch, probe.place, "prompt", "found no tokens, expected at least one");
  for (const std::string& text : probe.continuations)
    result.continuations.push_back(continuation_tokens(probe, result.prompt, text, tokenizer));
  const std::size_t most = probe.length * trained_length;
  if (result.tokens() > most) {
    throw Error(ErrorCode::mismatch, probe.place, "length",
                "found a probe of " + std::to_string(result.tokens()) + " tokens, expected at most " +
                    std::to_string(most) + " at length " + std::to_string(probe.length));
  }
  return result;
}

}  // namespace

std::size_t TokenizedProbe::tokens() const {
  std::size_t longest = 0;
  for (const std::vector<TokenId>& ids : continuations) longest = std::max(longest, ids.size());
  return prompt.size() + longest;
}

EvaluationSet read_evaluation_set(const std::filesystem::path& folder) {
  EvaluationSet set{.documents_file = folder / "documents.txt", .documents = {}, .probes = {}};
  set.documents = read_lines(set.documents_file);
  const std::filesystem::path probes = folder / "probes.jsonl";
  const std::vector<std::string> lines = read_lines(probes);
  for (std::size_t i = 0; i < lines.size(); ++i)
    set.probes.push_back(read_probe(lines[i], place_of(probes, i)));
  return set;
}

TokenizedSet tokenize(const EvaluationSet& set, const Tokenizer& tokenizer, std::size_t trained_length) {
  const std::size_t tokens = kLengths.back() * trained_length;
  TokenizedSet result;
  for (std::size_t i = 0; i < set.documents.size(); ++i) {
    std::vector<TokenId> ids = tokenizer.encode(set.documents[i]);
    if (ids.size() < tokens) {
      throw Error(
          ErrorCode::mismatch, place_of(set.documents_file, i), "document",
          "found " + std::to_string(ids.size()) + " tokens, expected at least " + std::to_string(tokens));
    }
    ids.resize(tokens);
    result.documents.push_back(std::move(ids));
  }
  for (const Probe& probe : set.probes)
    result.probes.push_back(tokenize_probe(probe, tokenizer, trained_length));
  return result;
}

}  // namespace mla::lab
