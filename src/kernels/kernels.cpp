#include "kernels/kernels.h"

#include <vector>

#include "kernels/implementations.h"

namespace mla {

const Kernels& kernels_for(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx2:
    case Isa::avxvnni:
      return kAvx2Kernels;
    case Isa::avx512:
    case Isa::avx512vnni:
    case Isa::avx512bf16:
    case Isa::amx:
      return kAvx512Kernels;
#elif defined(__aarch64__)
    case Isa::neon:
    case Isa::neon_dotprod:
    case Isa::neon_i8mm:
      return kNeonKernels;
#endif
    default:
      return kScalarKernels;
  }
}

std::span<const Kernels* const> available_kernels() {
  static const std::vector<const Kernels*> list = [] {
    std::vector<const Kernels*> found;
    for (const Isa isa : available_isas())
      if (const Kernels* kernels = &kernels_for(isa); found.empty() || found.back() != kernels)
        found.push_back(kernels);
    return found;
  }();
  return list;
}

const Kernels& best_kernels() {
  return kernels_for(chosen_isa());
}

const Kernels& kernels_named(std::string_view name) {
  return kernels_for(isa_named(name));
}

}  // namespace mla
