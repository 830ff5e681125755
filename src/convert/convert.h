// Carries a plan out: reads, quantizes and writes one stretch of rows after the other.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string_view>

#include "convert/plan.h"
#include "mla/model.h"

namespace mla {

struct ConversionOptions {
  int threads = 0;                                                    ///< 0: default_thread_count().
  std::function<void(std::size_t done, std::size_t total)> progress;  ///< In bytes of the new file.
};

struct ConversionSummary {
  std::size_t elements = 0;
  std::size_t tensor_bytes = 0;  ///< Of the new file's tensors.
  std::size_t file_bytes = 0;
  std::map<std::string_view, DTypeUse> dtypes;  ///< By the names of dtype_traits.
};

/// Writes `output`, which appears when it is complete. In memory are a few megabytes for each thread, never a whole
/// tensor; the bytes do not depend on the number of threads. Throws Error(format) that names the tensor and the row at
/// a weight that is not finite or does not fit into its type, Error(io) if writing fails.
ConversionSummary convert(const ConversionPlan& plan, const Quantization& quantization,
                          const std::filesystem::path& output, const ConversionOptions& options = {});

}  // namespace mla
