#include "lab/svg.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

#include "lab/palette.h"

namespace mla::lab {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Bytes of the UTF-8 sequence at the front of `text`, which is not empty; 0 if it is none, or none that XML allows.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r' ? 1 : 0;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  unsigned code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  constexpr std::array<unsigned, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[length] || surrogate || code > 0x10FFFF || code == 0xFFFE || code == 0xFFFF) return 0;
  return length;
}

std::string_view entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

void attribute(std::string& out, std::string_view name, double value) {
  out.append(" ").append(name).append("=\"").append(coordinate(value)).append("\"");
}

void attribute(std::string& out, std::string_view name, std::string_view value) {
  out.append(" ").append(name).append("=\"").append(escape_xml(value)).append("\"");
}

}  // namespace

std::string escape_xml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0)
      out += kReplacement;
    else if (const std::string_view name = entity(text.front()); !name.empty())
      out += name;
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string coordinate(double value) {
  if (!std::isfinite(value)) value = 0.0;
  value = std::round(std::clamp(value, -1e9, 1e9) * 100.0) / 100.0;
  if (value == 0.0) return "0";  // Without the sign of -0.
  std::array<char, 32> buffer{};
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return {buffer.data(), result.ptr};
}

std::string point(double x, double y) {
  return coordinate(x) + " " + coordinate(y);
}

double text_width(std::string_view text, double size) {
  const auto characters = std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // All but continuation bytes.
  });
  return 0.58 * size * static_cast<double>(characters);
}

SvgWriter::SvgWriter(double width, double height, std::string_view title, std::string_view description) {
  body_ = "<svg";
  attribute(body_, "viewBox", "0 0 " + coordinate(width) + " " + coordinate(height));
  body_ +=
      " role=\"img\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" fill=\"currentColor\">\n<title>" +
      escape_xml(title) + "</title>\n";
  if (!description.empty()) body_ += "<desc>" + escape_xml(description) + "</desc>\n";
}

void SvgWriter::stroke_attributes(const Stroke& stroke) {
  attribute(body_, "stroke", stroke.color);
  attribute(body_, "stroke-width", stroke.width);
  if (!stroke.dash.empty()) attribute(body_, "stroke-dasharray", stroke.dash);
  if (stroke.opacity < 1.0) attribute(body_, "stroke-opacity", stroke.opacity);
}

void SvgWriter::line(double x1, double y1, double x2, double y2, const Stroke& stroke) {
  body_ += "<line";
  attribute(body_, "x1", x1);
  attribute(body_, "y1", y1);
  attribute(body_, "x2", x2);
  attribute(body_, "y2", y2);
  stroke_attributes(stroke);
  body_ += "/>\n";
}

void SvgWriter::rect(double x, double y, double width, double height, std::string_view fill) {
  body_ += "<rect";
  attribute(body_, "x", x);
  attribute(body_, "y", y);
  attribute(body_, "width", width);
  attribute(body_, "height", height);
  attribute(body_, "fill", fill);
  body_ += "/>\n";
}

void SvgWriter::polyline(std::string_view data, const Stroke& stroke) {
  body_ += "<path fill=\"none\" stroke-linejoin=\"round\"";
  attribute(body_, "d", data);
  stroke_attributes(stroke);
  body_ += "/>\n";
}

void SvgWriter::filled_path(std::string_view data, std::string_view fill, bool crisp) {
  body_ += "<path";
  attribute(body_, "d", data);
  attribute(body_, "fill", fill);
  if (crisp) body_ += " shape-rendering=\"crispEdges\"";
  body_ += "/>\n";
}

void SvgWriter::text(double x, double y, std::string_view content, const TextStyle& style) {
  body_ += "<text";
  attribute(body_, "x", x);
  attribute(body_, "y", y);
  attribute(body_, "font-size", style.size);
  if (style.anchor != Anchor::start)
    attribute(body_, "text-anchor", style.anchor == Anchor::middle ? "middle" : "end");
  if (style.bold) attribute(body_, "font-weight", "600");
  if (style.opacity < 1.0) attribute(body_, "fill-opacity", style.opacity);
  if (style.rotation != 0.0) {
    std::string turn = "rotate(";
    turn += coordinate(style.rotation) + " " + point(x, y) + ")";
    attribute(body_, "transform", turn);
  }
  body_ += '>';
  body_ += escape_xml(content) + "</text>\n";
}

void SvgWriter::begin_clip(double x, double y, double width, double height) {
  body_ += "<svg overflow=\"hidden\"";  // A nested picture clips without the id a clip path would need.
  attribute(body_, "x", x);
  attribute(body_, "y", y);
  attribute(body_, "width", width);
  attribute(body_, "height", height);
  attribute(body_, "viewBox",
            coordinate(x) + " " + coordinate(y) + " " + coordinate(width) + " " + coordinate(height));
  body_ += ">\n";
}

std::string SvgWriter::finish() {
  body_ += "</svg>\n";
  return std::exchange(body_, {});
}

std::string stand_alone(std::string_view svg) {
  constexpr std::string_view kTag = "<svg";
  const std::size_t end_of_tag = svg.find('>') + 1;
  std::string file = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"";
  file += svg.substr(kTag.size(), end_of_tag - kTag.size());
  file +=
      "\n<style>\n:root { color: #1b1f24; background: #ffffff; }\n@media (prefers-color-scheme: dark) {\n";
  file += ":root { color: #e6e8eb; background: #15181c;\n" + dark_properties() + "}\n}\n</style>";
  file += svg.substr(end_of_tag);
  return file;
}

}  // namespace mla::lab
