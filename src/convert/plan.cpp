#include "convert/plan.h"

#include <system_error>

namespace mla {

std::size_t PlannedTensor::rows() const {
  std::size_t count = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) count *= shape[i];
  return count;
}

ConversionPlan plan_conversion(const std::filesystem::path& source, const Quantization& quantization) {
  std::error_code ignored;  // What cannot be looked at cannot be opened either.
  if (std::filesystem::is_directory(source, ignored)) return plan_folder(source, quantization);
  return plan_gguf(source, quantization);
}

}  // namespace mla
