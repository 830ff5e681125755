#include "formats/safetensors_header.h"

#include <algorithm>
#include <array>
#include <optional>

#include "formats/safetensors_sax.h"
#include "mla/error.h"
#include "tensor/dtype.h"

namespace mla {
namespace {

struct StoredType {
  std::string_view name;
  std::size_t bits;
};

constexpr std::array kStoredTypes = {
    StoredType{"BOOL", 8},        StoredType{"F4", 4},          StoredType{"F6_E2M3", 6},
    StoredType{"F6_E3M2", 6},     StoredType{"U8", 8},          StoredType{"I8", 8},
    StoredType{"F8_E5M2", 8},     StoredType{"F8_E4M3", 8},     StoredType{"F8_E8M0", 8},
    StoredType{"F8_E4M3FNUZ", 8}, StoredType{"F8_E5M2FNUZ", 8}, StoredType{"I16", 16},
    StoredType{"U16", 16},        StoredType{"F16", 16},        StoredType{"BF16", 16},
    StoredType{"I32", 32},        StoredType{"U32", 32},        StoredType{"F32", 32},
    StoredType{"C64", 64},        StoredType{"F64", 64},        StoredType{"I64", 64},
    StoredType{"U64", 64},
};

std::string range(std::size_t begin, std::size_t end) {
  return "[" + std::to_string(begin) + ", " + std::to_string(end) + "]";
}

const StoredType& stored_type(const SafetensorsEntry& entry, const std::string& file) {
  const auto* const type = std::find_if(kStoredTypes.begin(), kStoredTypes.end(),
                                        [&](const StoredType& known) { return known.name == entry.dtype; });
  if (type == kStoredTypes.end()) {
    throw Error(
        ErrorCode::unsupported, file, entry.name + ".dtype",
        "found \"" + std::string(entry.dtype) + "\", expected a dtype of safetensors 0.8 (F32, BF16, ...)");
  }
  return *type;
}

/// The entry's range has the length that its dtype and shape demand.
void check_size(const SafetensorsEntry& entry, const StoredType& type, const std::string& file) {
  if (entry.begin > entry.end)
    throw Error(ErrorCode::format, file, entry.name + ".data_offsets",
                "found " + range(entry.begin, entry.end) + ", expected the end not to be before the begin");
  const std::optional<std::size_t> count = element_count(entry.shape);
  const std::optional<std::size_t> bits = count ? checked_multiply(*count, type.bits) : std::nullopt;
  if (!bits)
    throw Error(ErrorCode::format, file, entry.name + ".shape", "the size does not fit into 64 bits");
  if (*bits % 8 != 0)
    throw Error(ErrorCode::format, file, entry.name + ".shape",
                "found " + std::to_string(*bits) + " bits, expected whole bytes");
  if (entry.end - entry.begin != *bits / 8) {
    throw Error(ErrorCode::format, file, entry.name + ".data_offsets",
                "found " + std::to_string(entry.end - entry.begin) + " bytes, expected " +
                    std::to_string(*bits / 8) + " for its dtype and shape");
  }
}

/// The entries in the order of their ranges cover [0, data_bytes) exactly.
void check_cover(const std::vector<SafetensorsEntry>& entries, std::size_t data_bytes,
                 const std::string& file) {
  std::vector<const SafetensorsEntry*> order;
  order.reserve(entries.size());
  for (const SafetensorsEntry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const SafetensorsEntry* a, const SafetensorsEntry* b) {
    return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
  });
  std::size_t covered = 0;
  for (const SafetensorsEntry* entry : order) {
    const std::string field = entry->name + ".data_offsets";
    if (entry->begin != covered) {
      throw Error(ErrorCode::format, file, field,
                  "found " + range(entry->begin, entry->end) + ", expected it to begin at " +
                      std::to_string(covered) + " (the tensors leave a hole or overlap)");
    }
    if (entry->end > data_bytes) {
      throw Error(ErrorCode::format, file, field,
                  "found " + range(entry->begin, entry->end) + ", expected it within the file's " +
                      std::to_string(data_bytes) + " bytes of data (is the file truncated?)");
    }
    covered = entry->end;
  }
  if (covered != data_bytes) {
    throw Error(ErrorCode::format, file, "",
                "found " + std::to_string(data_bytes) + " bytes of data, expected " +
                    std::to_string(covered) + " for its tensors");
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::size_t data_bytes,
                                           const std::string& file) {
  std::vector<RawSafetensorsEntry> raw;
  SafetensorsHeader header;
  read_safetensors_json(json, file, raw, header.metadata);
  header.entries.reserve(raw.size());
  for (RawSafetensorsEntry& from : raw) {
    SafetensorsEntry entry{std::move(from.name), from.dtype, std::move(from.shape), from.begin, from.end};
    const StoredType& type = stored_type(entry, file);
    entry.dtype = type.name;  // From here on it does not refer to `raw`.
    check_size(entry, type, file);
    header.entries.push_back(std::move(entry));
  }
  std::sort(header.entries.begin(), header.entries.end(),
            [](const SafetensorsEntry& a, const SafetensorsEntry& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(
      header.entries.begin(), header.entries.end(),
      [](const SafetensorsEntry& a, const SafetensorsEntry& b) { return a.name == b.name; });
  if (twice != header.entries.end())
    throw Error(ErrorCode::format, file, twice->name, "the tensor stands twice in the header");
  check_cover(header.entries, data_bytes, file);
  return header;
}

}  // namespace mla
