#include "lab/palette.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "positional/registry.h"

namespace mla::lab {
namespace {

// Okabe and Ito 2008, "Color Universal Design", in the order of the encodings. Its black is a grey here, which shows
// on dark pages, too, and its yellow is darkened, which hardly shows on white.
constexpr std::array<SeriesStyle, kSeriesStyles> kStyles = {{
    {"var(--series-1, #5f6670)", "2 3", Marker::ring},
    {"var(--series-2, #d55e00)", "", Marker::square},
    {"var(--series-3, #e69f00)", "7 3", Marker::diamond},
    {"var(--series-4, #cc79a7)", "", Marker::triangle},
    {"var(--series-5, #009e73)", "9 3 2 3", Marker::triangle_down},
    {"var(--series-6, #0072b2)", "", Marker::circle},
    {"var(--series-7, #56b4e9)", "5 2", Marker::plus},
    {"var(--series-8, #8f7f00)", "3 2", Marker::cross},
}};

constexpr std::array<std::string_view, kSeriesStyles> kDark = {"#aab1bb", "#f0803c", "#f2b62e", "#dd97bd",
                                                               "#21c096", "#3d9be0", "#9bd5f7", "#f0e442"};

// Blue, vermilion, green, ...: for lines that are no encodings.
constexpr std::array<std::size_t, kSeriesStyles> kOrder = {5, 1, 4, 3, 2, 6, 7, 0};

// Eleven points of matplotlib's viridis, which is in the public domain (CC0).
constexpr std::array<Rgb, 11> kViridis = {{{68, 1, 84},
                                           {72, 36, 117},
                                           {65, 68, 135},
                                           {53, 95, 141},
                                           {42, 120, 142},
                                           {33, 145, 140},
                                           {34, 168, 132},
                                           {68, 191, 112},
                                           {122, 209, 81},
                                           {189, 223, 38},
                                           {253, 231, 37}}};

constexpr std::array<Rgb, 7> kBlueOrange = {{{0, 68, 136},
                                             {51, 126, 184},
                                             {150, 196, 226},
                                             {245, 245, 245},
                                             {252, 197, 130},
                                             {222, 123, 30},
                                             {140, 63, 0}}};

Rgb blend(std::span<const Rgb> points, double share) {
  const double place = share * static_cast<double>(points.size() - 1);
  const std::size_t before = std::min(static_cast<std::size_t>(place), points.size() - 2);
  const double weight = place - static_cast<double>(before);
  const auto channel = [&](std::uint8_t Rgb::*member) {
    const double low = points[before].*member;
    const double high = points[before + 1].*member;
    return static_cast<std::uint8_t>(std::lround(low + (high - low) * weight));
  };
  return {channel(&Rgb::red), channel(&Rgb::green), channel(&Rgb::blue)};
}

}  // namespace

SeriesStyle series_style(std::string_view name, std::size_t index) {
  const auto all = encodings();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i]->name == name) return kStyles[i % kSeriesStyles];
  return kStyles[kOrder[index % kSeriesStyles]];
}

std::string dark_properties() {
  std::string css;
  for (std::size_t i = 0; i < kSeriesStyles; ++i)
    css += "--series-" + std::to_string(i + 1) + ": " + std::string(kDark[i]) + "; ";
  return css + "--grid: #3b4149;\n";
}

Rgb color_at(ColorScale scale, double share) {
  const double place = std::isnan(share) ? 0.0 : std::clamp(share, 0.0, 1.0);
  return scale == ColorScale::sequential ? blend(kViridis, place) : blend(kBlueOrange, place);
}

std::string hexadecimal(Rgb color) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "#";
  for (const std::uint8_t value : {color.red, color.green, color.blue}) {
    text += kDigits[value >> 4U];
    text += kDigits[value & 15U];
  }
  return text;
}

}  // namespace mla::lab
