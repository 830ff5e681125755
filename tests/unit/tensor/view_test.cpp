#include "tensor/view.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "mla/error.h"
#include "tensor/decode.h"
#include "tensor/scalar.h"
#include "unit/base/thrown.h"

using namespace mla;

namespace {

/// Owns the bytes of a tensor at an odd address, as a mapped file may have them.
class OddBytes {
 public:
  template <typename T>
  explicit OddBytes(const std::vector<T>& values) : bytes_(values.size() * sizeof(T) + 1) {
    if (!values.empty()) std::memcpy(bytes_.data() + 1, values.data(), values.size() * sizeof(T));
  }
  const std::byte* data() const { return bytes_.data() + 1; }

 private:
  std::vector<std::byte> bytes_;
};

std::vector<float> counted(std::size_t count, float scale) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = scale * static_cast<float>(i + 1);
  return values;
}

/// A weight of FP8 with its scales, both known by formula.
class Fp8Weight {
 public:
  Fp8Weight(std::size_t rows, std::size_t cols, std::size_t block_rows, std::size_t block_cols)
      : codes_(code_values(rows * cols)),
        scales_(
            counted(((rows + block_rows - 1) / block_rows) * ((cols + block_cols - 1) / block_cols), 0.37F)),
        code_bytes_(codes_),
        scale_bytes_(scales_),
        block_rows_(block_rows),
        block_cols_(block_cols) {
    const TensorView data{DType::f8_e4m3, {rows, cols}, code_bytes_.data()};
    const TensorView scale{DType::f32,
                           {(rows + block_rows - 1) / block_rows, (cols + block_cols - 1) / block_cols},
                           scale_bytes_.data()};
    weight = block_scaled(data, scale, block_rows, block_cols, "file", "w.weight_scale_inv");
  }

  float expected(std::size_t row, std::size_t col) const {
    const std::size_t scale_cols = (weight.cols() + block_cols_ - 1) / block_cols_;
    return e4m3_to_float(codes_[row * weight.cols() + col]) *
           scales_[row / block_rows_ * scale_cols + col / block_cols_];
  }

  WeightView weight;

 private:
  static std::vector<std::uint8_t> code_values(std::size_t count) {
    std::vector<std::uint8_t> codes(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto code = static_cast<std::uint8_t>(i * 73 % 256);
      codes[i] = (code & 0x7fU) == 0x7fU ? std::uint8_t{0x2a} : code;
    }
    return codes;
  }

  std::vector<std::uint8_t> codes_;
  std::vector<float> scales_;
  OddBytes code_bytes_;
  OddBytes scale_bytes_;
  std::size_t block_rows_;
  std::size_t block_cols_;
};

bool same_bits(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace

TEST_CASE("shapes", "[tensor][view]") {
  REQUIRE(to_string(Shape{}) == "[]");
  REQUIRE(to_string(Shape{3, 0, 5}) == "[3, 0, 5]");
  REQUIRE(Shape{2, 3} == Shape{2, 3});
  REQUIRE_FALSE(Shape{2, 3} == Shape{2, 3, 0});
  REQUIRE_FALSE(Shape{2} == Shape{3});
}

TEST_CASE("a tensor is a matrix whose rows run along its last dimension", "[tensor][view]") {
  const auto matrix = [](const Shape& shape) {
    const TensorView view{DType::bf16, shape, nullptr};
    return std::vector<std::size_t>{view.rows(), view.cols(), view.elements(), view.row_bytes(),
                                    view.bytes()};
  };
  REQUIRE(matrix({}) == std::vector<std::size_t>{1, 1, 1, 2, 2});
  REQUIRE(matrix({7}) == std::vector<std::size_t>{1, 7, 7, 14, 14});
  REQUIRE(matrix({3, 5}) == std::vector<std::size_t>{3, 5, 15, 10, 30});
  REQUIRE(matrix({2, 3, 4}) == std::vector<std::size_t>{6, 4, 24, 8, 48});
  REQUIRE(matrix({0, 4}) == std::vector<std::size_t>{0, 4, 0, 8, 0});
}

TEST_CASE("rows and slices of rows", "[tensor][view]") {
  const OddBytes bytes(counted(12, 1));
  const TensorView view{DType::f32, {4, 3}, bytes.data()};
  REQUIRE(view.row(2) == bytes.data() + 24);
  const TensorView slice = view.slice_rows(1, 2);
  REQUIRE(slice.shape == Shape{2, 3});
  REQUIRE(decode(slice) == std::vector<float>{4, 5, 6, 7, 8, 9});
  REQUIRE(view.slice_rows(4, 0).elements() == 0);
  REQUIRE(decode(view.slice_rows(0, 4)) == decode(view));
}

TEST_CASE("decode reads each dtype at an odd address", "[tensor][decode]") {
  const OddBytes f32(std::vector<float>{1.5F, -2, 3, 0.1F});
  REQUIRE(decode(TensorView{DType::f32, {2, 2}, f32.data()}) == std::vector<float>{1.5F, -2, 3, 0.1F});
  const OddBytes f16(std::vector<std::uint16_t>{0x3c00, 0xc000, 0x0001});
  REQUIRE(decode(TensorView{DType::f16, {3}, f16.data()}) ==
          std::vector<float>{1, -2, std::ldexp(1.0F, -24)});
  const OddBytes bf16(std::vector<std::uint16_t>{0x3f80, 0xc000});
  REQUIRE(decode(TensorView{DType::bf16, {2, 1}, bf16.data()}) == std::vector<float>{1, -2});
  const OddBytes f8(std::vector<std::uint8_t>{0x38, 0xfe});
  REQUIRE(decode(TensorView{DType::f8_e4m3, {1, 2}, f8.data()}) == std::vector<float>{1, -448});
}

TEST_CASE("decode of tensors without elements and of a scalar", "[tensor][decode]") {
  REQUIRE(decode(TensorView{DType::f32, {0, 3}, nullptr}).empty());
  REQUIRE(decode(TensorView{DType::f32, {3, 0}, nullptr}).empty());
  const OddBytes one(std::vector<float>{7});
  REQUIRE(decode(TensorView{DType::f32, {}, one.data()}) == std::vector<float>{7});
}

TEST_CASE("decode_row refuses what is outside the weight", "[tensor][decode]") {
  const OddBytes bytes(counted(6, 1));
  const TensorView view{DType::f32, {2, 3}, bytes.data()};
  std::vector<float> out(2);
  decode_row(view, 1, 1, out);
  REQUIRE(out == std::vector<float>{5, 6});
  decode_row(view, 1, 3, std::span<float>());
  REQUIRE(thrown_by([&] { decode_row(view, 2, 0, out); }).code() == ErrorCode::argument);
  REQUIRE(thrown_by([&] { decode_row(view, 0, 2, out); }).code() == ErrorCode::argument);
  REQUIRE(thrown_by([&] { decode_row(view, 0, SIZE_MAX, out); }).code() == ErrorCode::argument);
}

TEST_CASE("block-scaled FP8 with ragged edges", "[tensor][decode]") {
  struct Case {
    std::size_t rows, cols, block_rows, block_cols;
  };
  for (const Case& c :
       {Case{1, 1, 128, 128}, Case{128, 128, 128, 128}, Case{129, 127, 128, 128}, Case{130, 300, 128, 128},
        Case{256, 257, 128, 128}, Case{7, 10, 3, 4}, Case{5, 6, 1, 1}}) {
    CAPTURE(c.rows, c.cols, c.block_rows, c.block_cols);
    const Fp8Weight fp8(c.rows, c.cols, c.block_rows, c.block_cols);
    const std::vector<float> all = decode(fp8.weight);
    long errors = 0;
    for (std::size_t row = 0; row < c.rows; ++row)
      for (std::size_t col = 0; col < c.cols; ++col)
        errors += !same_bits(all[row * c.cols + col], fp8.expected(row, col));
    REQUIRE(errors == 0);
  }
}

TEST_CASE("a part of a row and a slice within a block keep their scales", "[tensor][decode]") {
  const Fp8Weight fp8(300, 280, 128, 128);
  const WeightView slice = fp8.weight.slice_rows(100, 150).slice_rows(20, 60);  // Rows 120 to 179.
  REQUIRE(slice.rows() == 60);
  std::vector<float> out(160);
  long errors = 0;
  for (std::size_t row = 0; row < slice.rows(); ++row) {
    decode_row(slice, row, 120, out);
    for (std::size_t i = 0; i < out.size(); ++i)
      errors += !same_bits(out[i], fp8.expected(120 + row, 120 + i));
  }
  REQUIRE(errors == 0);
}

TEST_CASE("scales may be bf16 or f16", "[tensor][decode]") {
  const OddBytes codes(std::vector<std::uint8_t>{0x38, 0x38, 0x40});
  const TensorView data{DType::f8_e4m3, {1, 3}, codes.data()};
  const OddBytes bf16(std::vector<std::uint16_t>{0x3f00, 0x4040});
  const TensorView bf16_scale{DType::bf16, {1, 2}, bf16.data()};
  REQUIRE(decode(block_scaled(data, bf16_scale, 128, 2, "", "")) == std::vector<float>{0.5F, 0.5F, 6});
  const OddBytes f16(std::vector<std::uint16_t>{0x3800, 0x4200});
  const TensorView f16_scale{DType::f16, {1, 2}, f16.data()};
  REQUIRE(decode(block_scaled(data, f16_scale, 128, 2, "", "")) == std::vector<float>{0.5F, 0.5F, 6});
}

TEST_CASE("block_scaled refuses scales that do not fit", "[tensor][view]") {
  const std::vector<std::byte> bytes(4096);
  const TensorView data{DType::f8_e4m3, {20, 30}, bytes.data()};
  const auto attempt = [&](DType dtype, const Shape& shape, std::size_t block_rows = 8) {
    return thrown_by([&] {
      block_scaled(data, {dtype, shape, bytes.data()}, block_rows, 16, "f.st", "w.scale");
    });
  };
  for (const Shape& shape :
       {Shape{2, 2}, Shape{3, 1}, Shape{2, 3}, Shape{4, 2}, Shape{6}, Shape{3, 2, 1}, Shape{}}) {
    const Error error = attempt(DType::f32, shape);
    CAPTURE(error.what());
    REQUIRE(error.code() == ErrorCode::mismatch);
    REQUIRE(std::string(error.what()).find("f.st: w.scale: found shape " + to_string(shape)) == 0);
    REQUIRE(std::string(error.what()).find("[3, 2]") != std::string::npos);
  }
  REQUIRE(attempt(DType::f8_e4m3, {3, 2}).code() == ErrorCode::unsupported);
  REQUIRE(attempt(DType::f32, {3, 2}, 0).code() == ErrorCode::argument);
}
