// A fast hash for tables within one process. Not for anything an attacker's collisions could hurt beyond
// time.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace mla {

inline std::uint64_t mix_hash(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD6E8FEB86659FD93u);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_bytes(std::string_view bytes) {
  const char* data = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t hash = left;
  const auto load = [](const char* from, std::size_t count) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, count);
    return word;
  };
  for (; left > 8; data += 8, left -= 8) hash = mix_hash(hash, load(data, 8));
  if (left >= 4) {  // Two loads that overlap take 4 to 8 bytes.
    return mix_hash(hash, load(data, 4) | load(data + left - 4, 4) << 32);
  }
  if (left == 0) return mix_hash(hash, 0);
  const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(data[i])}; };
  return mix_hash(hash, byte(0) | byte(left / 2) << 8 | byte(left - 1) << 16);
}

}  // namespace mla
