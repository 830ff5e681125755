#include "kernels/kernels.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/implementations.h"
#include "mla/error.h"

namespace mla {
namespace {

std::vector<const Kernels*> runnable() {
  std::vector<const Kernels*> list = {&kScalarKernels};
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  if (avx2) list.push_back(&kAvx2Kernels);
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    list.push_back(&kAvx512Kernels);
#endif
  return list;
}

}  // namespace

std::span<const Kernels* const> available_kernels() {
  static const std::vector<const Kernels*> list = runnable();
  return list;
}

const Kernels& kernels_named(std::string_view name) {
  std::string known;
  for (const Kernels* kernels : available_kernels()) {
    if (name == kernels->name) return *kernels;
    known += known.empty() ? kernels->name : std::string(", ") + kernels->name;
  }
  throw Error(ErrorCode::unsupported, "", "MLA_ISA",
              "found \"" + std::string(name) + "\", expected one this processor has: " + known);
}

const Kernels& best_kernels() {
  if (const char* forced = std::getenv("MLA_ISA"); forced != nullptr && *forced != '\0')
    return kernels_named(forced);
  return *available_kernels().back();
}

}  // namespace mla
