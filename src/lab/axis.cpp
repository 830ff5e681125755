#include "lab/axis.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace mla::lab {
namespace {

constexpr std::size_t kUsualTicks = 6;

std::string formatted(double value, std::chars_format format, int precision) {
  std::array<char, 400> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format, precision);
  return {buffer.data(), result.ptr};
}

/// "1.50e-05" -> "1.5e-5".
std::string tidy_exponent(const std::string& text) {
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return text;
  std::string mantissa = text.substr(0, e);
  if (mantissa.find('.') != std::string::npos) {
    mantissa.erase(mantissa.find_last_not_of('0') + 1);
    if (mantissa.back() == '.') mantissa.pop_back();
  }
  int exponent = 0;
  const char* digits = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits, text.data() + text.size(), exponent);
  return mantissa + "e" + std::to_string(exponent);
}

/// The greatest 1, 2 or 5 times a power of ten that is not above `value`, which is positive. Its reciprocals are such
/// numbers, too.
double round_down(double value) {
  const double power = std::pow(10.0, std::floor(std::log10(value) + 1e-9));
  for (const double factor : {5.0, 2.0})
    if (factor * power <= value * (1.0 + 1e-9)) return factor * power;
  return power;
}

std::vector<Tick> linear_ticks(const AxisRange& range, std::size_t most) {
  const double step = tick_step(range.greatest - range.least, most);
  std::vector<Tick> result;
  const double slack = step * 1e-9;
  for (double k = std::ceil((range.least - slack) / step); k * step <= range.greatest + slack; k += 1.0) {
    const double value = k == 0.0 ? 0.0 : k * step;
    result.push_back({value, tick_label(value, step)});
  }
  return result;
}

std::vector<Tick> logarithmic_ticks(const AxisRange& range, std::size_t most) {
  const double first = std::floor(std::log10(range.least) + 1e-9);
  const double last = std::ceil(std::log10(range.greatest) - 1e-9);
  const double decades = last - first;
  const double room = static_cast<double>(most);
  const std::vector<double> factors =
      decades * 3.0 <= room + 1.0 ? std::vector{1.0, 2.0, 5.0} : std::vector{1.0};
  const double stride = std::max(1.0, std::ceil(decades / room));
  std::vector<Tick> result;
  for (double exponent = first; exponent <= last; exponent += stride)
    for (const double factor : factors) {
      const double value = factor * std::pow(10.0, exponent);
      if (value >= range.least * (1.0 - 1e-9) && value <= range.greatest * (1.0 + 1e-9))
        result.push_back({value, short_number(value)});
    }
  return result;
}

}  // namespace

double AxisRange::share(double value) const {
  if (scale == Scale::linear) return (value - least) / (greatest - least);
  return std::log(value / least) / std::log(greatest / least);
}

bool AxisRange::shows(double value) const {
  return std::isfinite(value) && (scale == Scale::linear || value > 0.0);
}

double tick_step(double span, std::size_t most) {
  const double least = span / static_cast<double>(std::max<std::size_t>(most, 1));
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least * (1.0 - 1e-9)) return factor * power;
  return 10.0 * power;
}

AxisRange range_of(const std::vector<double>& values, Scale scale) {
  AxisRange range{.scale = scale};
  bool any = false;
  for (const double value : values) {
    if (!range.shows(value)) continue;
    range.least = any ? std::min(range.least, value) : value;
    range.greatest = any ? std::max(range.greatest, value) : value;
    any = true;
  }
  if (scale == Scale::logarithmic) {
    if (!any) return {1.0, 10.0, scale};
    if (range.least == range.greatest) return {range.least / 2.0, range.greatest * 2.0, scale};
    return {round_down(range.least), 1.0 / round_down(1.0 / range.greatest), scale};
  }
  if (!any) return {0.0, 1.0, scale};
  if (range.least == range.greatest) {
    const double room = range.least == 0.0 ? 1.0 : std::abs(range.least) * 0.5;
    range.least -= room;
    range.greatest += room;
  }
  const double step = tick_step(range.greatest - range.least, kUsualTicks);
  range.least = std::floor(range.least / step + 1e-9) * step;
  range.greatest = std::ceil(range.greatest / step - 1e-9) * step;
  return range;
}

std::vector<Tick> ticks(const AxisRange& range, std::size_t most) {
  return range.scale == Scale::linear ? linear_ticks(range, most) : logarithmic_ticks(range, most);
}

std::string tick_label(double value, double step) {
  if (value == 0.0) return "0";
  const double size = std::max(std::abs(value), step);
  if (size >= 1e6 || step < 1e-5) return short_number(value, 6);
  const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9)));
  return formatted(value, std::chars_format::fixed, decimals);
}

std::string short_number(double value, int digits) {
  if (!std::isfinite(value)) return std::isnan(value) ? "-" : value > 0.0 ? "inf" : "-inf";
  if (value == 0.0) return "0";
  if (std::abs(value) >= 1e6 || std::abs(value) < 1e-4)
    return tidy_exponent(formatted(value, std::chars_format::scientific, digits - 1));
  const int before = static_cast<int>(std::floor(std::log10(std::abs(value)))) + 1;
  std::string text = formatted(value, std::chars_format::fixed, std::max(0, digits - before));
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace mla::lab
