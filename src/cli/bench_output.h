// What `mla bench` says: text or Markdown for a person, JSON for a program.
#pragma once

#include <string>

#include "mla/bench.h"
#include "mla/machine.h"
#include "mla/model.h"

namespace mla::cli {

/// All that one run of `mla bench -m` found out.
struct BenchFindings {
  std::string command;
  std::string tokens;  ///< Which were evaluated.
  std::size_t batch = 0;
  double load_seconds = 0.0;
  double first_token_seconds = 0.0;
  int first_token_threads = 0;
  ModelInfo model;
  BenchReport report;
  MachineLimits limits;
};

enum class BenchFormat { text, markdown, json };

std::string bench_output(const BenchFindings& findings, BenchFormat format);
std::string machine_output(const MachineLimits& limits, const std::string& command, BenchFormat format);

/// "prefill of 512 tokens at depth 4096"
std::string describe(const BenchTest& test);

}  // namespace mla::cli
