// Panels of quantized types with NEON's dot products: four of signed bytes a lane in one instruction.
#if defined(__aarch64__)
#include "packed/block_multiply.h"
#include "packed/block_vectors_neon.h"

namespace mla {
namespace {

struct NeonDotprodVectors : NeonVectors {
  static constexpr std::size_t most_tokens = 6;
  static constexpr bool has_dot = true;

  static int8x8_t activation(const void* p) { return lane(p); }
  static Int dot8(Int acc, Int codes, int8x8_t value) {
    return {vdotq_lane_s32(acc.low, signed_bytes_of(codes.low), value, 0),
            vdotq_lane_s32(acc.high, signed_bytes_of(codes.high), value, 0)};
  }
};

}  // namespace

constinit const BlockKernels kNeonDotprodBlocks = make_block_kernels<NeonDotprodVectors>();

}  // namespace mla
#endif
