// Writes SVG: elements with numbers in their shortest form and all text escaped. The same picture serves inside an
// HTML page and as a file: text has the colour of its surroundings (currentColor), other colours are CSS custom
// properties with a fallback, and there are no ids that two pictures of a page could share.
#pragma once

#include <string>
#include <string_view>

namespace mla::lab {

/// For text and for attribute values. What XML cannot hold (control characters, broken UTF-8) becomes U+FFFD.
std::string escape_xml(std::string_view text);

/// A coordinate: at most two decimals, no trailing zeros, "." whatever the locale.
std::string coordinate(double value);

/// "x y", for path data.
std::string point(double x, double y);

/// How wide `text` is when set at `size`, roughly: the writer has no font to ask.
double text_width(std::string_view text, double size);

enum class Anchor { start, middle, end };

struct TextStyle {
  double size = 12.0;
  Anchor anchor = Anchor::start;
  bool bold = false;
  double rotation = 0.0;  ///< Degrees, clockwise, about the text's own place.
  double opacity = 1.0;
};

struct Stroke {
  std::string_view color = "currentColor";
  double width = 1.0;
  std::string_view dash = {};  ///< As in stroke-dasharray; solid if empty.
  double opacity = 1.0;
};

class SvgWriter {
 public:
  /// Title and description are what a screen reader says of the picture.
  SvgWriter(double width, double height, std::string_view title, std::string_view description);

  void line(double x1, double y1, double x2, double y2, const Stroke& stroke);
  void rect(double x, double y, double width, double height, std::string_view fill);
  /// `data` as in the attribute d. Not closed, not filled.
  void polyline(std::string_view data, const Stroke& stroke);
  /// Crisp: no seams between shapes that touch.
  void filled_path(std::string_view data, std::string_view fill, bool crisp);
  void text(double x, double y, std::string_view content, const TextStyle& style);

  /// What is drawn until end_clip is cut off outside of the rectangle.
  void begin_clip(double x, double y, double width, double height);
  void end_clip() { body_ += "</svg>\n"; }

  /// The whole <svg> element. The writer is empty afterwards.
  std::string finish();

 private:
  void stroke_attributes(const Stroke& stroke);

  std::string body_;
};

/// The picture as a file of its own: with the name space, and a style that knows light and dark.
std::string stand_alone(std::string_view svg);

}  // namespace mla::lab
