#include "tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace mla {
namespace {

#include "tokenizer/unicode_table.inc"

constexpr std::array<std::string_view, 30> kNames = {
    "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
    "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cs"};

/// Two-stage table: blocks of 256 characters, equal blocks kept once.
class CategoryTable {
 public:
  CategoryTable() {
    std::vector<std::uint8_t> flat(kEnd);
    for (std::size_t run = 0; run < std::size(kCategoryRuns); ++run) {
      const std::size_t begin = kCategoryRuns[run] >> 8;
      const std::size_t end = run + 1 < std::size(kCategoryRuns) ? kCategoryRuns[run + 1] >> 8 : kEnd;
      std::fill(flat.begin() + static_cast<std::ptrdiff_t>(begin),
                flat.begin() + static_cast<std::ptrdiff_t>(end),
                static_cast<std::uint8_t>(kCategoryRuns[run] & 0xFF));
    }
    for (std::size_t block = 0; block < kBlocks; ++block) {
      const auto* begin = flat.data() + block * 256;
      std::size_t at = 0;
      while (at < blocks_.size() && !std::equal(begin, begin + 256, blocks_.data() + at)) at += 256;
      if (at == blocks_.size()) blocks_.insert(blocks_.end(), begin, begin + 256);
      index_[block] = static_cast<std::uint16_t>(at / 256);
    }
  }

  unsigned operator[](char32_t value) const {
    return value < kEnd ? blocks_[std::size_t{index_[value >> 8]} * 256 + (value & 0xFF)] : 0;
  }

 private:
  static constexpr std::size_t kEnd = 0x110000;
  static constexpr std::size_t kBlocks = kEnd / 256;

  std::array<std::uint16_t, kBlocks> index_{};
  std::vector<std::uint8_t> blocks_;
};

bool in_ranges(const CodePointRange* begin, const CodePointRange* end, char32_t value) {
  const auto* range =
      std::upper_bound(begin, end, value, [](char32_t v, const CodePointRange& r) { return v < r.first; });
  return range != begin && value <= (range - 1)->last;
}

}  // namespace

std::optional<CategoryMask> category_mask(std::string_view name) {
  if (name.empty() || name.size() > 2) return std::nullopt;
  CategoryMask mask = 0;
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i].starts_with(name)) mask |= CategoryMask{1} << i;
  if (mask == 0) return std::nullopt;
  return mask;
}

CategoryMask category_of(char32_t value) {
  static const CategoryTable table;
  return CategoryMask{1} << table[value];
}

std::vector<CodePointRange> newer_code_points(CategoryMask mask) {
  std::vector<CodePointRange> ranges;
  for (const CodePointRange& range : kNewer) {
    for (char32_t value = range.first; value <= range.last; ++value) {
      if (!(category_of(value) & mask)) continue;
      if (!ranges.empty() && ranges.back().last + 1 == value)
        ranges.back().last = value;
      else
        ranges.push_back({value, value});
    }
  }
  return ranges;
}

bool is_opaque_to_normalization(char32_t value) {
  return in_ranges(std::begin(kOpaque), std::end(kOpaque), value);
}

char32_t lowercase(char32_t value) {
  const auto* newer = std::lower_bound(std::begin(kLowercase), std::end(kLowercase), value,
                                       [](const auto& pair, char32_t v) { return pair.first < v; });
  if (newer != std::end(kLowercase) && newer->first == value) return newer->second;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(value)));
}

bool is_white_space(char32_t value) {
  static const CategoryMask separators = *category_mask("Z");
  return (value >= 0x09 && value <= 0x0D) || value == 0x85 || (category_of(value) & separators) != 0;
}

bool is_word_character(char32_t value) {
  static const CategoryMask word = *category_mask("L") | *category_mask("M") | *category_mask("Nd") |
                                   *category_mask("Nl") | *category_mask("Pc");
  const bool circled_letter =
      (value >= 0x24B6 && value <= 0x24E9) || (value >= 0x1F130 && value <= 0x1F149) ||
      (value >= 0x1F150 && value <= 0x1F169) || (value >= 0x1F170 && value <= 0x1F189);
  const bool joiner = value == 0x200C || value == 0x200D;
  return circled_letter || joiner || (category_of(value) & word) != 0;
}

bool is_numeric(char32_t value) {
  static const CategoryMask numbers = *category_mask("N");
  return (category_of(value) & numbers) != 0;
}

}  // namespace mla
