// Blocks of 256 weights that share scales of scales: Q4_K, Q5_K, Q6_K.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mla {

inline constexpr std::size_t kSuperBlock = 256;

/// Eight groups of 32. A weight is scale * scales[group] * level - minimum * minimums[group].
struct AffineBlock {
  std::uint16_t scale = 0;                ///< f16
  std::uint16_t minimum = 0;              ///< f16
  std::uint8_t scales[8] = {};            ///< Six bits.
  std::uint8_t minimums[8] = {};          ///< Six bits.
  std::uint8_t levels[kSuperBlock] = {};  ///< 0 to `top`.
};

/// Sixteen groups of 16. A weight is scale * scales[group] * level.
struct SymmetricBlock {
  std::uint16_t scale = 0;  ///< f16
  std::int8_t scales[16] = {};
  std::int8_t levels[kSuperBlock] = {};  ///< -32 to 31.
};

/// For levels up to `top`: 15 for Q4_K, 31 for Q5_K. All values finite.
AffineBlock fit_affine_block(std::span<const float, kSuperBlock> values, float top);

SymmetricBlock fit_symmetric_block(std::span<const float, kSuperBlock> values);

}  // namespace mla
