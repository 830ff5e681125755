#include "lab/report_numbers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace mla::lab {
namespace {

constexpr const char* kMinus = "−";  // U+2212

/// As printf does, but with "." whatever the locale.
std::string digits(double value, std::chars_format format, int precision) {
  std::array<char, 64> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format, precision);
  return {buffer.data(), result.ptr};
}

/// A magnitude of 10,000 or more, in groups of three.
std::string grouped(double magnitude) {
  std::string text = digits(magnitude, std::chars_format::fixed, 0);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, 1, ',');
  return text;
}

std::string power_of_ten(double magnitude) {
  constexpr std::array<std::string_view, 10> kSuperscripts = {"⁰", "¹", "²", "³", "⁴",
                                                              "⁵", "⁶", "⁷", "⁸", "⁹"};
  const std::string text = digits(magnitude, std::chars_format::scientific, 1);  // 3.1e-07
  const std::size_t e = text.find('e');
  std::string result = text.substr(0, e) + "×10";
  if (text[e + 1] == '-') result += "⁻";
  for (const char digit : text.substr(text.find_first_not_of('0', e + 2)))
    result += kSuperscripts[static_cast<std::size_t>(digit - '0')];
  return result;
}

/// A little below 1, as cosines are: 0.99997, never 1.00.
std::string almost_one(double magnitude) {
  const int decimals = static_cast<int>(std::ceil(-std::log10(1.0 - magnitude)));
  return digits(magnitude, std::chars_format::fixed, std::min(decimals, 7));
}

std::string magnitude_text(double magnitude) {
  if (magnitude == 0.0) return "0";
  if (magnitude >= 0.9995 && magnitude < 1.0 - 5e-8) return almost_one(magnitude);
  if (magnitude < 1e-3 || magnitude >= 999'999.5) return power_of_ten(magnitude);
  if (magnitude >= 9'999.5) return grouped(magnitude);
  if (magnitude >= 99.95) return digits(magnitude, std::chars_format::fixed, 0);
  const int decimals = magnitude >= 9.995 ? 1 : magnitude >= 0.9995 ? 2 : magnitude >= 0.09995 ? 3 : 4;
  return digits(magnitude, std::chars_format::fixed, decimals);
}

}  // namespace

std::string figure_text(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return "not measured";
  std::string text = *value < 0.0 ? kMinus : "";
  text += magnitude_text(std::abs(*value));
  return text;
}

std::string percent_text(std::optional<double> share) {
  if (!share || !std::isfinite(*share)) return "not measured";
  return digits(100.0 * *share, std::chars_format::fixed, 1) + " %";
}

std::string whole_text(std::optional<double> value) {
  return value && std::isfinite(*value) ? digits(*value, std::chars_format::fixed, 0)
                                        : figure_text(std::nullopt);
}

std::string estimate_text(const std::optional<Estimate>& estimate) {
  if (!estimate) return figure_text(std::nullopt);
  const std::string value = figure_text(estimate->value);
  if (!estimate->half_width) return value;
  // As many decimals as the value has, so that the two can be read together.
  const std::size_t point = value.find('.');
  const bool plain = value.find("×") == std::string::npos && *estimate->half_width < 9'999.5;
  const std::size_t decimals = point == std::string::npos ? 0 : value.size() - point - 1;
  return value + " ± " +
         (plain ? digits(*estimate->half_width, std::chars_format::fixed, static_cast<int>(decimals))
                : figure_text(estimate->half_width));
}

std::string percent_text(const std::optional<Estimate>& estimate) {
  if (!estimate) return percent_text(std::optional<double>());
  if (!estimate->half_width) return percent_text(std::optional(estimate->value));
  return digits(100.0 * estimate->value, std::chars_format::fixed, 1) + " ± " +
         percent_text(estimate->half_width);
}

}  // namespace mla::lab
