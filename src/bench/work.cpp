// What a pass must do at least, from the types and shapes of the model.
#include <algorithm>
#include <optional>

#include "kernels/isa.h"
#include "mla/bench.h"
#include "model/model_parts.h"
#include "packed/packed_kernels.h"

namespace mla {
namespace {

std::size_t index_of(MultiplyUnit unit) {
  return static_cast<std::size_t>(unit);
}

}  // namespace

PassWork& PassWork::operator+=(const PassWork& other) {
  bytes += other.bytes;
  for (std::size_t unit = 0; unit < kMultiplyUnits; ++unit) operations[unit] += other.operations[unit];
  return *this;
}

MultiplyUnit multiply_unit(Precision precision, std::string_view dtype) {
  if (precision == Precision::f32) return MultiplyUnit::fp32;
  const std::optional<DType> type = find_dtype(dtype);
  if (type && dtype_traits(*type).block_elements > 1) return MultiplyUnit::int8;
  const bool pairs = packed_kernels(chosen_isa()).bf16_form == ActivationForm::bf16_pair;
  return type == DType::bf16 && pairs ? MultiplyUnit::bf16 : MultiplyUnit::fp32;
}

PassWork pass_work(const Model& model, std::size_t first, std::size_t tokens) {
  const Precision precision = model.info().precision;
  PassWork work;
  for (const auto& [type, active] : model.info().active_weights) {
    const double elements = static_cast<double>(active.layer_elements) * static_cast<double>(tokens) +
                            static_cast<double>(active.head_elements);
    work.bytes += static_cast<double>(active.bytes);
    work.operations[index_of(multiply_unit(precision, type))] += 2.0 * elements;
  }
  for (const DecoderLayer& layer : model.parts().decoder.layers) {
    const AttentionWork attending = layer.attention->work(first, tokens);
    const bool fast = layer.attention->cache_widths().element == CacheElement::bf16;
    work.bytes += attending.cache_values * (fast ? 2.0 : 4.0) + attending.index_values * 4.0;
    work.operations[index_of(MultiplyUnit::fp32)] += 2.0 * attending.index_multiplications;
    work.operations[index_of(fast ? MultiplyUnit::bf16 : MultiplyUnit::fp32)] +=
        2.0 * attending.multiplications;
  }
  return work;
}

PassWork test_work(const Model& model, const BenchTest& test) {
  if (test.kind == BenchKind::prefill) return pass_work(model, test.depth, test.tokens);
  PassWork work;
  for (std::size_t token = 0; token < test.tokens; ++token) work += pass_work(model, test.depth + token, 1);
  return work;
}

std::optional<double> least_multiply_seconds(const PassWork& work, const MachineLimits& limits, int threads) {
  double seconds = 0.0;
  for (std::size_t unit = 0; unit < kMultiplyUnits; ++unit) {
    if (work.operations[unit] == 0.0) continue;
    const auto peak = limits.operations_per_second(static_cast<MultiplyUnit>(unit), threads);
    if (!peak) return std::nullopt;
    seconds += work.operations[unit] / *peak;
  }
  return seconds;
}

}  // namespace mla
