// The loop of the vector units' peaks. Compiled for several instruction sets: everything is in an unnamed namespace.
#pragma once

namespace mla {
namespace {

/// Two units of six cycles latency need as many; with their operands they fit into 16 registers.
constexpr unsigned kChains = 12;

/// `Unit` has a vector in a struct, Sum, with begin() to make one, and step(Sum&), which multiplies and adds to it and passes
/// the result through an empty assembler statement.
template <typename Unit, unsigned kCount = kChains>
void run_chains(unsigned long rounds) {
  Unit unit;
  typename Unit::Sum sums[kCount];
#pragma GCC unroll 24
  for (auto& sum : sums) sum = Unit::begin();
  for (unsigned long round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (auto& sum : sums) unit.step(sum);
  }
}

}  // namespace
}  // namespace mla
