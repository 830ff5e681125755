// AVX-512 (F, BW, DQ, VL): sixteen floats in a register.
#if defined(__x86_64__)
#include "packed/float_avx512.h"

#include "packed/f8_tiles.h"
#include "packed/float_quantize.h"
#include "packed/float_tiles.h"
#include "packed/implementations.h"

namespace mla {

constinit const FloatKernels kAvx512Floats = {multiply_floats<Sixteen512, F32Walk<Sixteen512>>,
                                              multiply_floats<Sixteen512, F16Walk<Sixteen512>>,
                                              multiply_bf16<Sixteen512, Bf16Walk<Sixteen512>>,
                                              multiply_f8<Sixteen512>,
                                              quantize<Sixteen512>,
                                              to_bf16<Sixteen512>,
                                              from_bf16<Sixteen512>,
                                              with_f8_scratch<Sixteen512>};

}  // namespace mla
#endif
