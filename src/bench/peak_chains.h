// The loop of the vector units' peaks. Compiled for several instruction sets: everything is in an unnamed namespace.
#pragma once

namespace mla {
namespace {

/// Two units of six cycles latency need as many; with their operands they fit into 16 registers.
constexpr int kChains = 12;

/// `Unit` has a vector in a struct, Sum, with begin() to make one, and step(Sum&), which multiplies and adds to it and passes
/// the result through an empty assembler statement.
template <typename Unit>
void run_chains(unsigned long rounds) {
  Unit unit;
  auto s0 = Unit::begin(), s1 = Unit::begin(), s2 = Unit::begin(), s3 = Unit::begin();
  auto s4 = Unit::begin(), s5 = Unit::begin(), s6 = Unit::begin(), s7 = Unit::begin();
  auto s8 = Unit::begin(), s9 = Unit::begin(), s10 = Unit::begin(), s11 = Unit::begin();
  for (unsigned long round = 0; round < rounds; ++round) {
    unit.step(s0);
    unit.step(s1);
    unit.step(s2);
    unit.step(s3);
    unit.step(s4);
    unit.step(s5);
    unit.step(s6);
    unit.step(s7);
    unit.step(s8);
    unit.step(s9);
    unit.step(s10);
    unit.step(s11);
  }
}

}  // namespace
}  // namespace mla
