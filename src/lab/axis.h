// The scale of an axis and where its ticks stand.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace mla::lab {

enum class Scale { linear, logarithmic };

/// From values to shares of the axis: 0 at `least`, 1 at `greatest`.
struct AxisRange {
  double least = 0.0;
  double greatest = 1.0;
  Scale scale = Scale::linear;

  double share(double value) const;
  /// Whether the value has a place on the axis: it is finite, and above 0 if logarithmic.
  bool shows(double value) const;
};

struct Tick {
  double value = 0.0;
  std::string label;
};

/// The range that holds `values` (those that the scale shows), widened to whole tick steps; 0..1 (1..10) if there are
/// none.
AxisRange range_of(const std::vector<double>& values, Scale scale);

/// At most about `most` ticks, all within the range: multiples of 1, 2 or 5 times a power of ten; on a logarithmic axis
/// powers of ten, with their doubles and fivefolds where there is room.
std::vector<Tick> ticks(const AxisRange& range, std::size_t most);

/// The step between ticks that linear axes use: 1, 2 or 5 times a power of ten, at least `span` / `most`.
double tick_step(double span, std::size_t most);

/// A number for a label: as many decimals as `step` needs; very large and very small ones as 2e7.
std::string tick_label(double value, double step);

/// A number for a label, with about `digits` significant digits.
std::string short_number(double value, int digits = 3);

}  // namespace mla::lab
