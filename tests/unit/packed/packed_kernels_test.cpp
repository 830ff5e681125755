// The table of kernels by instruction set.
#include "packed/packed_kernels.h"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace mla;

TEST_CASE("every instruction set multiplies all types", "[packed]") {
  for (const Isa isa : available_isas()) {
    const PackedKernels& kernels = packed_kernels(isa);
    INFO(name_of(isa));
    CHECK(kernels.isa == isa);
    for (const DTypeTraits& traits : kDTypeTraits) {
      INFO(traits.name);
      CHECK(kernels.multiply[static_cast<std::size_t>(traits.dtype)] != nullptr);
    }
    CHECK(kernels.quantize != nullptr);
    CHECK(kernels.to_bf16 != nullptr);
    CHECK(kernels.from_bf16 != nullptr);
  }
}

TEST_CASE("an instruction set of another architecture has no kernels", "[packed]") {
#if defined(__x86_64__)
  CHECK_THROWS_AS(packed_kernels(Isa::neon), std::logic_error);
#else
  CHECK_THROWS_AS(packed_kernels(Isa::avx2), std::logic_error);
#endif
}
