// Plain C++: the reference the other instruction sets are tested against.
#include <cmath>
#include <cstdint>

#include "kernels/implementations.h"
#include "kernels/vector_kernels.h"
#include "tensor/scalar.h"

namespace mla {
namespace {

struct Scalar {
  using Reg = float;
  static constexpr std::size_t width = 1;
  static constexpr std::size_t gemm_rows = 4;

  static Reg zero() { return 0.0F; }
  static Reg set1(float v) { return v; }
  static Reg load(const float* p) {
    float v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(float* p, Reg v) { std::memcpy(p, &v, sizeof v); }
  static Reg load_f16(const std::byte* p) { return f16_to_float(read16(p)); }
  static Reg load_bf16(const std::byte* p) { return bf16_to_float(read16(p)); }
  static Reg load_f8(const std::byte* p) { return e4m3_to_float(static_cast<std::uint8_t>(*p)); }
  static Reg add(Reg a, Reg b) { return a + b; }
  static Reg sub(Reg a, Reg b) { return a - b; }
  static Reg mul(Reg a, Reg b) { return a * b; }
  static Reg div(Reg a, Reg b) { return a / b; }
  static Reg fma(Reg a, Reg b, Reg c) { return a * b + c; }
  static Reg min(Reg a, Reg b) { return a < b ? a : b; }
  static Reg max(Reg a, Reg b) { return a > b ? a : b; }
  static Reg round(Reg v) { return std::nearbyintf(v); }
  static Reg pow2(Reg n) { return std::isnan(n) ? n : std::ldexp(1.0F, static_cast<int>(n)); }
  static float sum(Reg v) { return v; }
  static float largest(Reg v) { return v; }

 private:
  static std::uint16_t read16(const std::byte* p) {
    std::uint16_t bits;
    std::memcpy(&bits, p, sizeof bits);
    return bits;
  }
};

constexpr E4m3Table all_e4m3_values() {
  E4m3Table table{};
  for (std::size_t bits = 0; bits < 256; ++bits)
    table.values[bits] = e4m3_to_float(static_cast<std::uint8_t>(bits));
  return table;
}

}  // namespace

constinit const E4m3Table kE4m3Table = all_e4m3_values();

constinit const Kernels kScalarKernels = make_kernels<Scalar>("scalar");

}  // namespace mla
