// How scales are found. A group's weights w and levels l are fitted by least squares, sum of importance * (w - fit)^2.
// For given levels the best scale (and minimum) is the solution of a linear system, and for a given scale the best
// levels are the nearest. So:
//   1. for each group by itself: levels of a few ranges somewhat wider or narrower than the group's, each solved; the
//      best of them goes on from levels to scales and back as long as that helps;
//   2. the groups' scales are rounded to the block's grid; each group takes the best of the grid points around;
//   3. the block's own scale (and minimum) is solved for, given all levels; then 2 again, if the whole gets better.
// The importances are those of ggml without an importance matrix (ggml-quants.c): large weights count for more.
#include "tensor/quantize_k.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tensor/scalar.h"

namespace mla {
namespace {

constexpr int kRanges = 10;           // On either side of the group's own.
constexpr float kRangeStep = 0.1F;    // In levels.
constexpr int kMostRefinements = 4;   // Of a group, from levels to scales and back.
constexpr int kBlockRefinements = 2;  // Of the block's scale.

/// To the nearest whole number, ties to even, for magnitudes below 2^22: without a call the loops become vectors.
float nearest(float value) {
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23: the unit in the last place is 1.
  return (value + kShift) - kShift;
}

float clamp(float value, float least, float greatest) {
  const float above = value > least ? value : least;  // NaN becomes `least`.
  return above < greatest ? above : greatest;
}

template <std::size_t n>
struct Group {
  std::array<float, n> values;
  std::array<float, n> importance;
};

template <std::size_t n>
using Levels = std::array<float, n>;

/// levels = nearest((values + shift) * inverse), in range.
template <std::size_t n>
void assign(const Group<n>& group, float inverse, float shift, float least, float greatest,
            Levels<n>& levels) {
  for (std::size_t i = 0; i < n; ++i)
    levels[i] = nearest(clamp((group.values[i] + shift) * inverse, least, greatest));
}

/// The error of step * levels - minimum.
template <std::size_t n>
float error_of(const Group<n>& group, const Levels<n>& levels, float step, float minimum) {
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float difference = step * levels[i] - minimum - group.values[i];
    sum += group.importance[i] * difference * difference;
  }
  return sum;
}

/// The levels for a step and a minimum, and their error.
template <std::size_t n>
float fit_levels(const Group<n>& group, float step, float minimum, float least, float greatest,
                 Levels<n>& levels) {
  if (step == 0.0F)
    levels.fill(0);
  else
    assign(group, 1.0F / step, minimum, least, greatest, levels);
  return error_of(group, levels, step, minimum);
}

// ---- Q4_K and Q5_K ----

constexpr std::size_t kAffine = 32;
using AffineGroup = Group<kAffine>;

struct Affine {
  float step = 0;     ///< At least 0.
  float minimum = 0;  ///< At least 0: what is taken off.
};

/// The best step and minimum for the levels.
Affine solve(const AffineGroup& group, const Levels<kAffine>& levels, const Affine& otherwise) {
  float w = 0, l = 0, ll = 0, x = 0, xl = 0;
  for (std::size_t i = 0; i < kAffine; ++i) {
    const float weight = group.importance[i];
    const float weighted_level = weight * levels[i];
    w += weight;
    l += weighted_level;
    ll += weighted_level * levels[i];
    x += weight * group.values[i];
    xl += weighted_level * group.values[i];
  }
  const float determinant = w * ll - l * l;
  if (!(determinant > 0)) return otherwise;
  const Affine free{(w * xl - x * l) / determinant, (l * xl - ll * x) / determinant};
  if (free.minimum >= 0) return free.step > 0 ? free : otherwise;
  const Affine without{xl / ll, 0};
  return without.step > 0 ? without : otherwise;
}

Affine fit_group(const AffineGroup& group, float top) {
  const auto [least, greatest] = std::minmax_element(group.values.begin(), group.values.end());
  const float low = std::min(*least, 0.0F);
  const float range = *greatest - low;
  if (!(range > 0)) return {0, -low};
  Levels<kAffine> levels;
  Affine best{range / top, -low};
  float best_error = fit_levels(group, best.step, best.minimum, 0, top, levels);
  const auto try_out = [&](const Affine& candidate) {
    const float error = error_of(group, levels, candidate.step, candidate.minimum);
    if (!(error < best_error)) return false;
    best = candidate;
    best_error = error;
    return true;
  };
  for (int i = -kRanges; i <= kRanges; ++i) {
    assign(group, (top + kRangeStep * static_cast<float>(i)) / range, -low, 0, top, levels);
    try_out(solve(group, levels, best));
  }
  for (int i = 0; i < kMostRefinements; ++i) {
    fit_levels(group, best.step, best.minimum, 0, top, levels);
    if (!try_out(solve(group, levels, best))) break;
  }
  return best;
}

AffineGroup affine_group(const float* values) {
  AffineGroup group;
  std::copy_n(values, kAffine, group.values.begin());
  float squares = 0;
  for (const float value : group.values) squares += value * value;
  const float typical = std::sqrt(squares / kAffine);
  for (std::size_t i = 0; i < kAffine; ++i)
    group.importance[i] = typical > 0 ? 1.0F + std::fabs(group.values[i]) / typical : 1.0F;
  return group;
}

/// A block on the way: what AffineBlock holds, as floats.
struct AffineState {
  std::array<float, 8> scales{};
  std::array<float, 8> minimums{};
  std::array<Levels<kAffine>, 8> levels{};
  float error = 0;
};

constexpr float kMostSixBits = 63;

/// The best of the grid points around scales[g], minimums[g], which `start` gives in units of the grid.
void fit_to_grid(const std::array<AffineGroup, 8>& groups, float scale, float minimum, float top,
                 const AffineState& start, AffineState& fitted) {
  fitted.error = 0;
  Levels<kAffine> levels;
  for (std::size_t g = 0; g < 8; ++g) {
    const float scale_at = nearest(clamp(start.scales[g], 0, kMostSixBits));
    const float minimum_at = nearest(clamp(start.minimums[g], 0, kMostSixBits));
    float best_error = INFINITY;
    for (float s = std::max(scale_at - 1, 0.0F); s <= std::min(scale_at + 1, kMostSixBits); ++s)
      for (float m = std::max(minimum_at - 1, 0.0F); m <= std::min(minimum_at + 1, kMostSixBits); ++m) {
        const float error = fit_levels(groups[g], scale * s, minimum * m, 0, top, levels);
        if (!(error < best_error)) continue;
        best_error = error;
        fitted.scales[g] = s;
        fitted.minimums[g] = m;
        fitted.levels[g] = levels;
      }
    fitted.error += best_error;
  }
}

/// The best scale and minimum of the block for its grid points and levels, if there are any.
Affine solve_block(const std::array<AffineGroup, 8>& groups, const AffineState& state,
                   const Affine& otherwise) {
  double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;
  for (std::size_t g = 0; g < 8; ++g)
    for (std::size_t i = 0; i < kAffine; ++i) {
      const double weight = groups[g].importance[i];
      const double a = state.scales[g] * state.levels[g][i];
      const double b = -state.minimums[g];
      aa += weight * a * a;
      ab += weight * a * b;
      bb += weight * b * b;
      ax += weight * a * groups[g].values[i];
      bx += weight * b * groups[g].values[i];
    }
  const double determinant = aa * bb - ab * ab;
  if (!(determinant > 0)) return otherwise;
  const Affine solved{static_cast<float>((ax * bb - bx * ab) / determinant),
                      static_cast<float>((bx * aa - ax * ab) / determinant)};
  return solved.step > 0 && solved.minimum >= 0 ? solved : otherwise;
}

// ---- Q6_K ----

constexpr std::size_t kSymmetric = 16;
constexpr float kLeastLevel = -32;
constexpr float kGreatestLevel = 31;
using SymmetricGroup = Group<kSymmetric>;

float solve(const SymmetricGroup& group, const Levels<kSymmetric>& levels, float otherwise) {
  float ll = 0, xl = 0;
  for (std::size_t i = 0; i < kSymmetric; ++i) {
    const float weighted_level = group.importance[i] * levels[i];
    ll += weighted_level * levels[i];
    xl += weighted_level * group.values[i];
  }
  return ll > 0 ? xl / ll : otherwise;
}

float fit_group(const SymmetricGroup& group) {
  float extreme = 0;
  for (const float value : group.values)
    if (std::fabs(value) > std::fabs(extreme)) extreme = value;
  if (extreme == 0) return 0;
  Levels<kSymmetric> levels;
  float best = extreme / kLeastLevel;  // There is one level more below zero than above.
  float best_error = fit_levels(group, best, 0, kLeastLevel, kGreatestLevel, levels);
  const auto try_out = [&](float step) {
    const float error = error_of(group, levels, step, 0);
    if (!(error < best_error)) return false;
    best = step;
    best_error = error;
    return true;
  };
  for (int i = -kRanges; i <= kRanges; ++i) {
    assign(group, (kLeastLevel + kRangeStep * static_cast<float>(i)) / extreme, 0, kLeastLevel,
           kGreatestLevel, levels);
    try_out(solve(group, levels, best));
  }
  for (int i = 0; i < kMostRefinements; ++i) {
    fit_levels(group, best, 0, kLeastLevel, kGreatestLevel, levels);
    if (!try_out(solve(group, levels, best))) break;
  }
  return best;
}

SymmetricGroup symmetric_group(const float* values) {
  SymmetricGroup group;
  std::copy_n(values, kSymmetric, group.values.begin());
  float extreme = 0;
  for (const float value : group.values) extreme = std::max(extreme, std::fabs(value));
  for (std::size_t i = 0; i < kSymmetric; ++i) {
    const float relative = extreme > 0 ? group.values[i] / extreme : 0;
    // Relative to the group; over all groups of the block the squares of the weights count as they are.
    group.importance[i] = relative * relative;
  }
  return group;
}

struct SymmetricState {
  std::array<float, 16> scales{};
  std::array<Levels<kSymmetric>, 16> levels{};
  double error = 0;
};

/// A group's share in the block: importances are relative to the largest weight of the group.
double share_of(const SymmetricGroup& group) {
  double extreme = 0;
  for (const float value : group.values) extreme = std::max(extreme, std::fabs(double{value}));
  return extreme * extreme;
}

void fit_to_grid(const std::array<SymmetricGroup, 16>& groups, float scale, const SymmetricState& start,
                 SymmetricState& fitted) {
  constexpr float kLeast = -128;
  constexpr float kGreatest = 127;
  fitted.error = 0;
  Levels<kSymmetric> levels;
  for (std::size_t g = 0; g < 16; ++g) {
    const float at = nearest(clamp(start.scales[g], kLeast, kGreatest));
    float best_error = INFINITY;
    for (float s = std::max(at - 1, kLeast); s <= std::min(at + 1, kGreatest); ++s) {
      const float error = fit_levels(groups[g], scale * s, 0, kLeastLevel, kGreatestLevel, levels);
      if (!(error < best_error)) continue;
      best_error = error;
      fitted.scales[g] = s;
      fitted.levels[g] = levels;
    }
    fitted.error += share_of(groups[g]) * double{best_error};
  }
}

float solve_block(const std::array<SymmetricGroup, 16>& groups, const SymmetricState& state,
                  float otherwise) {
  double aa = 0, ax = 0;
  for (std::size_t g = 0; g < 16; ++g) {
    const double share = share_of(groups[g]);
    for (std::size_t i = 0; i < kSymmetric; ++i) {
      const double weight = share * groups[g].importance[i];
      const double a = state.scales[g] * state.levels[g][i];
      aa += weight * a * a;
      ax += weight * a * groups[g].values[i];
    }
  }
  return aa > 0 ? static_cast<float>(ax / aa) : otherwise;
}

}  // namespace

AffineBlock fit_affine_block(std::span<const float, kSuperBlock> values, float top) {
  std::array<AffineGroup, 8> groups;
  std::array<Affine, 8> fits;
  Affine block;
  for (std::size_t g = 0; g < 8; ++g) {
    groups[g] = affine_group(values.data() + g * kAffine);
    fits[g] = fit_group(groups[g], top);
    block.step = std::max(block.step, fits[g].step / kMostSixBits);
    block.minimum = std::max(block.minimum, fits[g].minimum / kMostSixBits);
  }
  AffineBlock result;
  AffineState best;
  best.error = INFINITY;
  for (int round = 0; round <= kBlockRefinements; ++round) {
    const std::uint16_t scale = float_to_f16(block.step);
    const std::uint16_t minimum = float_to_f16(block.minimum);
    AffineState start;
    const float step = f16_to_float(scale);
    const float least = f16_to_float(minimum);
    for (std::size_t g = 0; g < 8; ++g) {
      start.scales[g] = step > 0 ? fits[g].step / step : 0;
      start.minimums[g] = least > 0 ? fits[g].minimum / least : 0;
    }
    AffineState fitted;
    fit_to_grid(groups, step, least, top, start, fitted);
    if (round > 0 && !(fitted.error < best.error)) break;
    best = fitted;
    result.scale = scale;
    result.minimum = minimum;
    block = solve_block(groups, best, block);
  }
  for (std::size_t g = 0; g < 8; ++g) {
    result.scales[g] = static_cast<std::uint8_t>(best.scales[g]);
    result.minimums[g] = static_cast<std::uint8_t>(best.minimums[g]);
    for (std::size_t i = 0; i < kAffine; ++i)
      result.levels[g * kAffine + i] = static_cast<std::uint8_t>(best.levels[g][i]);
  }
  return result;
}

SymmetricBlock fit_symmetric_block(std::span<const float, kSuperBlock> values) {
  std::array<SymmetricGroup, 16> groups;
  std::array<float, 16> steps;
  float extreme = 0;
  for (std::size_t g = 0; g < 16; ++g) {
    groups[g] = symmetric_group(values.data() + g * kSymmetric);
    steps[g] = fit_group(groups[g]);
    if (std::fabs(steps[g]) > std::fabs(extreme)) extreme = steps[g];
  }
  constexpr float kLeastScale = -128;  // There is one scale more below zero than above.
  float block = extreme / kLeastScale;
  SymmetricBlock result;
  SymmetricState best;
  for (int round = 0; round <= kBlockRefinements; ++round) {
    const std::uint16_t scale = float_to_f16(block);
    const float step = f16_to_float(scale);
    SymmetricState start;
    for (std::size_t g = 0; g < 16; ++g) start.scales[g] = step != 0 ? steps[g] / step : 0;
    SymmetricState fitted;
    fit_to_grid(groups, step, start, fitted);
    if (round > 0 && !(fitted.error < best.error)) break;
    best = fitted;
    result.scale = scale;
    block = solve_block(groups, best, block);
  }
  for (std::size_t g = 0; g < 16; ++g) {
    result.scales[g] = static_cast<std::int8_t>(best.scales[g]);
    for (std::size_t i = 0; i < kSymmetric; ++i)
      result.levels[g * kSymmetric + i] = static_cast<std::int8_t>(best.levels[g][i]);
  }
  return result;
}

}  // namespace mla
