// Panels of quantized types with the dot products of I8MM, which take codes of 8 bits as they are, without a sign.
#if defined(__aarch64__)
#include "packed/block_multiply.h"
#include "packed/block_vectors_neon.h"

namespace mla {
namespace {

struct NeonI8mmVectors : NeonVectors {
  static constexpr std::size_t most_tokens = 6;
  static constexpr bool has_dot = true;
  static constexpr bool signed_bytes = false;

  static int8x8_t activation(const void* p) { return lane(p); }
  static Int dot8(Int acc, Int codes, int8x8_t value) {
    return {vusdotq_lane_s32(acc.low, vreinterpretq_u8_s32(codes.low), value, 0),
            vusdotq_lane_s32(acc.high, vreinterpretq_u8_s32(codes.high), value, 0)};
  }
};

}  // namespace

constinit const BlockKernels kNeonI8mmBlocks = make_block_kernels<NeonI8mmVectors>();

}  // namespace mla
#endif
