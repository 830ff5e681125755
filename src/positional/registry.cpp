#include "positional/registry.h"

#include <array>

#include "mla/error.h"

namespace mla {

// A new encoding is a file that defines its EncodingEntry, and its line here.
#define MLA_ENCODINGS(entry)                                                                   \
  entry(kNoEncoding) entry(kIntegerEncoding) entry(kBinaryEncoding) entry(kSinusoidalEncoding) \
      entry(kLearnedEncoding) entry(kRopeEncoding) entry(kDecoupledRopeEncoding) entry(kAlibiEncoding)

#define MLA_DECLARE(entry) extern const EncodingEntry entry;
MLA_ENCODINGS(MLA_DECLARE)
#undef MLA_DECLARE

std::span<const EncodingEntry* const> encodings() {
#define MLA_ADDRESS(entry) &entry,
  static constexpr std::array kAll = {MLA_ENCODINGS(MLA_ADDRESS)};
#undef MLA_ADDRESS
  return kAll;
}

const EncodingEntry* find_encoding(std::string_view name) {
  for (const EncodingEntry* entry : encodings())
    if (entry->name == name) return entry;
  return nullptr;
}

const EncodingEntry& encoding_named(std::string_view name) {
  if (const EncodingEntry* entry = find_encoding(name)) return *entry;
  throw Error(ErrorCode::unsupported, "", "position encoding",
              "found \"" + std::string(name) + "\", expected one of " + encoding_names());
}

std::string encoding_names() {
  std::string names;
  for (const EncodingEntry* entry : encodings())
    names += (names.empty() ? "" : ", ") + std::string(entry->name);
  return names;
}

}  // namespace mla
