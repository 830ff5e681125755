// AVX-512 BF16: pairs of products by vdpbf16ps. It takes subnormal weights, activations and sums for zeros and rounds
// to nearest whatever MXCSR says (Intel's Software Developer's Manual, VDPBF16PS).
#if defined(__x86_64__)
#include "packed/f8_tiles.h"
#include "packed/float_avx512.h"
#include "packed/float_quantize.h"
#include "packed/float_tiles.h"
#include "packed/implementations.h"

namespace mla {
namespace {

struct Bf16PairWalk {
  using Copied = Bf16PairWalk;
  static constexpr std::size_t kStepBytes = 64, kStepX = 4, kParts = 1;
  static constexpr bool kPairs = true;
  static __m512i weights(const std::byte* panel, std::size_t) { return _mm512_load_si512(panel); }
  static __m512i factor(const std::byte* x, std::size_t) { return Sixteen512::broadcast_bits(x); }
  static __m512 add(__m512i w, __m512i x, __m512 sum) {
    return _mm512_dpbf16_ps(sum, __builtin_bit_cast(__m512bh, w), __builtin_bit_cast(__m512bh, x));
  }
  static void copy(const std::byte* x, std::size_t steps, std::byte* to) { std::memcpy(to, x, steps * 4); }
};

}  // namespace

constinit const FloatKernels kAvx512Bf16Floats = {multiply_floats<Sixteen512, F32Walk<Sixteen512>>,
                                                  multiply_floats<Sixteen512, F16Walk<Sixteen512>>,
                                                  multiply_bf16<Sixteen512, Bf16PairWalk>,
                                                  multiply_f8<Sixteen512>,
                                                  quantize<Sixteen512>,
                                                  to_bf16<Sixteen512>,
                                                  from_bf16<Sixteen512>,
                                                  with_f8_scratch<Sixteen512>};

}  // namespace mla
#endif
