// What the trained family is measured on: `documents.txt`, a held-out document a line, and `probes.jsonl`.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/trained_result.h"
#include "mla/tokenizer.h"

namespace mla::lab {

/// A line of probes.jsonl:
///   {"task": "word_order" | "coreference", "length", "prompt", "choices": [two continuations], "answer": 0 | 1}
///   {"task": "copy", "length", "prompt", "continuation"}
struct Probe {
  std::string place;  ///< "<file>:<line>", for messages.
  ProbeTask task = ProbeTask::copy;
  std::size_t length = 1;  ///< One of kLengths.
  std::string prompt;
  std::vector<std::string> continuations;  ///< The choices, or the one text to copy.
  std::size_t answer = 0;                  ///< Which of them is right.
};

struct EvaluationSet {
  std::filesystem::path documents_file;
  std::vector<std::string> documents;
  std::vector<Probe> probes;
};

/// Reads both files of `folder`. Throws Error (io, format) that names file, line and field.
EvaluationSet read_evaluation_set(const std::filesystem::path& folder);

struct TokenizedProbe {
  ProbeTask task = ProbeTask::copy;
  std::size_t length = 1;
  std::vector<TokenId> prompt;  ///< With its BOS.
  std::vector<std::vector<TokenId>> continuations;
  std::size_t answer = 0;

  std::size_t tokens() const;  ///< Prompt and longest continuation.
};

struct TokenizedSet {
  std::vector<std::vector<TokenId>> documents;  ///< All of the same length: kLengths.back() trained lengths.
  std::vector<TokenizedProbe> probes;
};

/// Throws Error(mismatch) that names file and line: a document too short, a continuation that changes the
/// tokens of its prompt, a probe that is longer than it says.
TokenizedSet tokenize(const EvaluationSet& set, const Tokenizer& tokenizer, std::size_t trained_length);

}  // namespace mla::lab
