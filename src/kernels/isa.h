// The instruction sets mla has code for, and which of them run here.
#pragma once

#include <span>
#include <string_view>

namespace mla {

/// Each names what a processor must have, together with all before it on the same architecture that its code uses.
enum class Isa {
  scalar,        ///< Plain C++; every processor.
  avx2,          ///< AVX2, FMA, F16C.
  avxvnni,       ///< And AVX-VNNI: four 8-bit products a 32-bit lane in one instruction.
  avx512,        ///< AVX-512 F, BW, DQ, VL.
  avx512vnni,    ///< And AVX-512 VNNI.
  avx512bf16,    ///< And AVX-512 BF16.
  amx,           ///< And AVX-512 VBMI2, AMX TILE, INT8, BF16, granted to this process by the kernel.
  neon,          ///< 64-bit ARM's baseline.
  neon_dotprod,  ///< And the dot product instructions (ARMv8.2 DotProd).
  neon_i8mm,     ///< And the 8-bit matrix products (ARMv8.6 I8MM).
};

const char* name_of(Isa isa);

/// Those this process can run, plainest first; there is always `scalar`. The first call asks the operating system for
/// the use of AMX's tiles.
std::span<const Isa> available_isas();

/// The last of the available ones, or the one the environment variable MLA_ISA names. Throws Error(unsupported) if
/// that is unknown or not available.
Isa chosen_isa();

/// The available one called `name`. Throws Error(unsupported) as above.
Isa isa_named(std::string_view name);

}  // namespace mla
