#include "formats/gguf_metadata.h"

#include <array>
#include <limits>
#include <string>

namespace mla {
namespace {

struct TypeTraits {
  std::string_view name;
  std::size_t bytes;  ///< In the file, the least there can be.
};

/// In the order of GgufType.
constexpr std::array kTypes = {
    TypeTraits{"uint8", 1},   TypeTraits{"int8", 1},   TypeTraits{"uint16", 2},  TypeTraits{"int16", 2},
    TypeTraits{"uint32", 4},  TypeTraits{"int32", 4},  TypeTraits{"float32", 4}, TypeTraits{"bool", 1},
    TypeTraits{"string", 8},  TypeTraits{"array", 12}, TypeTraits{"uint64", 8},  TypeTraits{"int64", 8},
    TypeTraits{"float64", 8},
};

const TypeTraits& traits(GgufType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

/// Of an element of an array.
std::size_t memory_bytes(GgufType type) {
  return type == GgufType::string ? sizeof(std::string_view) : 8;
}

GgufType take_type(GgufReader& in, std::string_view key) {
  const auto number = in.take<std::uint32_t>(key);
  if (number >= kTypes.size())
    in.unsupported(key, "found metadata type " + std::to_string(number) + ", expected 0 to " +
                            std::to_string(kTypes.size() - 1));
  return static_cast<GgufType>(number);
}

std::int64_t take_integer(GgufReader& in, GgufType type, std::string_view key) {
  switch (type) {
    case GgufType::uint8:
      return in.take<std::uint8_t>(key);
    case GgufType::int8:
      return in.take<std::int8_t>(key);
    case GgufType::uint16:
      return in.take<std::uint16_t>(key);
    case GgufType::int16:
      return in.take<std::int16_t>(key);
    case GgufType::uint32:
      return in.take<std::uint32_t>(key);
    case GgufType::int32:
      return in.take<std::int32_t>(key);
    case GgufType::int64:
      return in.take<std::int64_t>(key);
    default:
      break;
  }
  const auto value = in.take<std::uint64_t>(key);
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    in.fail(key, "found " + std::to_string(value) + ", expected less than 2^63");
  return static_cast<std::int64_t>(value);
}

double take_number(GgufReader& in, GgufType type, std::string_view key) {
  return type == GgufType::float32 ? double{in.take<float>(key)} : in.take<double>(key);
}

bool take_boolean(GgufReader& in, std::string_view key) {
  const auto byte = in.take<std::uint8_t>(key);
  if (byte > 1) in.fail(key, "found a bool of " + std::to_string(byte) + ", expected 0 or 1");
  return byte == 1;
}

/// `count` elements; there is room for them.
template <typename Array, typename Take>
Array take_array(std::size_t count, Take take) {
  Array array;
  array.reserve(count);
  for (std::size_t i = 0; i < count; ++i) array.push_back(take());
  return array;
}

void read_scalar(GgufReader& in, std::string_view key, GgufValue& result) {
  switch (result.type) {
    case GgufType::float32:
    case GgufType::float64:
      result.value = take_number(in, result.type, key);
      break;
    case GgufType::boolean:
      result.value = take_boolean(in, key);
      break;
    case GgufType::string:
      result.value = in.take_string(key);
      break;
    default:
      result.value = take_integer(in, result.type, key);
  }
}

void read_array(GgufReader& in, std::string_view key, GgufValue& result) {
  const GgufType type = take_type(in, key);
  if (type == GgufType::array) in.unsupported(key, "found an array of arrays, expected an array of scalars");
  result.element_type = type;
  const std::size_t count = in.take_element_count(key, traits(type).bytes, memory_bytes(type));
  switch (type) {
    case GgufType::float32:
    case GgufType::float64:
      result.value = take_array<GgufValue::Numbers>(count, [&] { return take_number(in, type, key); });
      break;
    case GgufType::boolean:
      result.value = take_array<GgufValue::Booleans>(count, [&] { return take_boolean(in, key); });
      break;
    case GgufType::string:
      result.value = take_array<GgufValue::Strings>(count, [&] { return in.take_string(key); });
      break;
    default:
      result.value = take_array<GgufValue::Integers>(count, [&] { return take_integer(in, type, key); });
  }
}

}  // namespace

GgufValue read_gguf_value(GgufReader& in, std::string_view key) {
  GgufValue result;
  result.type = take_type(in, key);
  if (result.type == GgufType::array)
    read_array(in, key, result);
  else
    read_scalar(in, key, result);
  return result;
}

std::string gguf_type_name(const GgufValue& value) {
  std::string name;
  if (value.type == GgufType::array) name.append("array of ").append(traits(value.element_type).name);
  return name.empty() ? std::string(traits(value.type).name) : name;
}

}  // namespace mla
