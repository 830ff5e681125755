// Colours that people with any kind of colour vision can tell apart. Lines also differ in dash and marker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mla::lab {

enum class Marker { circle, square, triangle, diamond, triangle_down, ring, cross, plus };

struct SeriesStyle {
  std::string_view color;  ///< A CSS value, "var(--series-1, #5f6670)": a page may set the property.
  std::string_view dash;   ///< As in stroke-dasharray.
  Marker marker = Marker::circle;
};

inline constexpr std::size_t kSeriesStyles = 8;

/// The style of an encoding, the same in every chart. Other names have style `index` (modulo kSeriesStyles),
/// counted from another start, so that a chart's first lines are easy to tell apart.
SeriesStyle series_style(std::string_view name, std::size_t index = 0);

/// CSS declarations of the custom properties for a dark page: --series-1 to --series-8, --grid.
std::string dark_properties();

inline constexpr std::string_view kGridColor = "var(--grid, #d8dce1)";

enum class ColorScale {
  sequential,  ///< Viridis (Smith and van der Walt 2015): dark is little, bright is much.
  diverging,   ///< Blue is negative, nearly white 0, orange positive.
};

struct Rgb {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

/// `share` from 0 (least) to 1 (greatest); what is outside has the colour of the end.
Rgb color_at(ColorScale scale, double share);

std::string hexadecimal(Rgb color);  ///< "#1f77b4"

}  // namespace mla::lab
