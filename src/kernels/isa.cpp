#include "kernels/isa.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "mla/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace mla {
namespace {

#if defined(__x86_64__)

struct CpuidLeaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidLeaf cpuid(unsigned leaf, unsigned subleaf) {
  CpuidLeaf found;
  if (__get_cpuid_count(leaf, subleaf, &found.eax, &found.ebx, &found.ecx, &found.edx) == 0) return {};
  return found;
}

bool bit(unsigned word, int index) {
  return (word >> index & 1U) != 0;
}

/// Linux hands out the tiles' 8 KiB of state only to processes that ask (Documentation/arch/x86/xstate.rst).
bool tiles_granted() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

std::vector<Isa> runnable() {
  std::vector<Isa> list = {Isa::scalar};
  __builtin_cpu_init();
  const bool converts_f16 = bit(cpuid(1, 0).ecx, 29);  // clang 14 does not know "f16c".
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !converts_f16) return list;
  const CpuidLeaf features = cpuid(7, 0);
  const CpuidLeaf more = cpuid(7, 1);
  list.push_back(Isa::avx2);
  if (bit(more.eax, 4)) list.push_back(Isa::avxvnni);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return list;
  list.push_back(Isa::avx512);
  if (!bit(features.ecx, 11)) return list;
  list.push_back(Isa::avx512vnni);
  if (!bit(more.eax, 5)) return list;
  list.push_back(Isa::avx512bf16);
  // All processors with tiles also have AVX-512 VBMI2, which their kernels use.
  const bool tiles =
      bit(features.edx, 24) && bit(features.edx, 25) && bit(features.edx, 22) && bit(features.ecx, 6);
  if (tiles && tiles_granted()) list.push_back(Isa::amx);
  return list;
}

#elif defined(__aarch64__)

std::vector<Isa> runnable() {
  std::vector<Isa> list = {Isa::scalar, Isa::neon};
  if ((::getauxval(AT_HWCAP) & HWCAP_ASIMDDP) == 0) return list;
  list.push_back(Isa::neon_dotprod);
  if ((::getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0) list.push_back(Isa::neon_i8mm);
  return list;
}

#else

std::vector<Isa> runnable() {
  return {Isa::scalar};
}

#endif

}  // namespace

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::scalar:
      return "scalar";
    case Isa::avx2:
      return "avx2";
    case Isa::avxvnni:
      return "avxvnni";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512vnni:
      return "avx512vnni";
    case Isa::avx512bf16:
      return "avx512bf16";
    case Isa::amx:
      return "amx";
    case Isa::neon:
      return "neon";
    case Isa::neon_dotprod:
      return "neon_dotprod";
    case Isa::neon_i8mm:
      return "neon_i8mm";
  }
  return "";
}

std::span<const Isa> available_isas() {
  static const std::vector<Isa> list = runnable();
  return list;
}

Isa isa_named(std::string_view name) {
  std::string known;
  for (const Isa isa : available_isas()) {
    if (name == name_of(isa)) return isa;
    known.append(known.empty() ? "" : ", ").append(name_of(isa));
  }
  throw Error(ErrorCode::unsupported, "", "MLA_ISA",
              "found \"" + std::string(name) + "\", expected one this processor has: " + known);
}

Isa chosen_isa() {
  if (const char* forced = std::getenv("MLA_ISA"); forced != nullptr && *forced != '\0')
    return isa_named(forced);
  return available_isas().back();
}

}  // namespace mla
