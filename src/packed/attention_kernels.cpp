#include "packed/attention_kernels.h"

namespace mla {

const AttentionKernels& attention_kernels(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx2:
    case Isa::avxvnni:
      return kAvx2Attention;
    case Isa::avx512:
    case Isa::avx512vnni:
    case Isa::avx512bf16:
    case Isa::amx:
      return kAvx512Attention;
#endif
    default:
      return kScalarAttention;
  }
}

}  // namespace mla
