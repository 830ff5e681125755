#include "lab/page_template.h"

#include <stdexcept>
#include <vector>

#include "lab/page_files.h"

namespace mla::lab {
namespace {

class Filler {
 public:
  Filler(const PageValues& values, std::string& out) : values_(values), out_(out) {}

  void fill(std::string_view text, bool shown) {
    std::vector<Section> open;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = text.find("{{", at);
      if (shown) out_ += text.substr(at, begin - at);
      if (begin == std::string_view::npos) break;
      const std::size_t end = text.find("}}", begin);
      if (end == std::string_view::npos) fail("a tag is not closed", text.substr(begin, 40));
      tag(text.substr(begin + 2, end - begin - 2), open, shown);
      at = end + 2;
    }
    if (!open.empty()) fail("a section is not closed", open.back().name);
  }

 private:
  struct Section {
    std::string_view name;
    bool shown_outside;
  };

  [[noreturn]] static void fail(const char* what, std::string_view where) {
    throw std::logic_error(std::string("page: ") + what + ": " + std::string(where));
  }

  const std::string& value(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) fail("a name has no value", name);
    return found->second;
  }

  void tag(std::string_view tag, std::vector<Section>& open, bool& shown) {
    const char kind = tag.empty() ? ' ' : tag.front();
    const std::string_view name = tag.substr(std::string_view("#^/>").find(kind) != std::string_view::npos);
    if (kind == '#' || kind == '^') {
      open.push_back({name, shown});
      const bool empty = value(name).empty();
      shown = shown && (kind == '^') == empty;
    } else if (kind == '/') {
      if (open.empty() || open.back().name != name) fail("a section is closed that is not open", name);
      shown = open.back().shown_outside;
      open.pop_back();
    } else if (kind == '>') {
      fill(page_file(name), shown);
    } else if (const std::string& content = value(name); shown) {
      out_ += content;
    }
  }

  const PageValues& values_;
  std::string& out_;
};

}  // namespace

std::string fill_page(std::string_view text, const PageValues& values) {
  std::string out;
  Filler(values, out).fill(text, true);
  return out;
}

}  // namespace mla::lab
