// Products with packed weights: near what the same weights give as they lie, and the same bits however they are cut.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/page_memory.h"
#include "kernels/kernels.h"
#include "nn/feed_forward.h"
#include "nn/linear.h"
#include "unit/base/thrown.h"
#include "unit/nn/nn_test_data.h"

using namespace mla;
using nn_test::Random;
using nn_test::random_weight;
using nn_test::Rows;
using nn_test::Weight;

namespace {

void pack(Linear& linear, DType type, PageMemory& memory) {
  linear.reserve_panels(type, memory);
  for (std::size_t panel = 0; panel < linear.packed().panels(); ++panel)
    linear.pack_panel(panel, best_kernels());
}

/// What rounding an activation to a form may change, as a share of the greatest of its block.
double step_of(ActivationForm form) {
  switch (form) {
    case ActivationForm::f32:
      return 0x1.0p-22;
    case ActivationForm::bf16:
      return 0x1.0p-8;
    case ActivationForm::bf16_pair:
      return 0x1.0p-17;
    case ActivationForm::q8_32:
    case ActivationForm::q8_256:
      return 0.51 / 127.0;
  }
  return 0.0;
}

/// Activations lie in [-1, 1]: the error of a sum is at most the sum of the weights' magnitudes times a step.
void check_near(const Weight& weight, const Rows& x, const Rows& y, ActivationForm form) {
  for (std::size_t row = 0; row < x.rows(); ++row)
    for (std::size_t out = 0; out < weight.rows(); ++out) {
      double sum = 0.0;
      double magnitude = 0.0;
      for (std::size_t col = 0; col < x.cols(); ++col) {
        const double w = weight.exact[out * x.cols() + col];
        sum += w * static_cast<double>(x.at(row, col));
        magnitude += std::abs(w);
      }
      const double rounding = static_cast<double>(x.cols() + 8) * 0x1.0p-24;
      const double error = std::abs(static_cast<double>(y.at(row, out)) - sum);
      REQUIRE(error <= magnitude * (step_of(form) + 4.0 * rounding) + 1e-30);
    }
}

}  // namespace

TEST_CASE("packed linear: every type is near the exact product", "[packed]") {
  Random random(21);
  for (const Isa isa : available_isas()) {
    Workspace workspace(1, kernels_for(isa), packed_kernels(isa));
    for (const DTypeTraits& traits : kDTypeTraits)
      for (const std::size_t out : {1U, 16U, 45U}) {
        const DType dtype = traits.dtype;
        const Weight weight = random_weight(random, dtype, out, 256, 1.0F, 1);
        Linear linear(weight.view);
        PageMemory memory;
        pack(linear, dtype, memory);
        for (const std::size_t rows : {1U, 2U, 17U}) {
          CAPTURE(name_of(isa), dtype_name(dtype), out, rows);
          const Rows x(random, rows, 256, 3);
          Rows y(rows, out, 5);
          linear.forward(x.matrix(), y.matrix(), workspace);
          check_near(weight, x, y, workspace.packed.form(linear.packed().dtype()));
          CHECK(y.margin_untouched());
        }
      }
  }
}

TEST_CASE("packed linear: neither threads nor other rows change a bit", "[packed][threads]") {
  Random random(22);
  constexpr std::size_t kIn = 512;
  constexpr std::size_t kOut = 1100;  // Tiles of several panels, the last not whole.
  constexpr std::size_t kRows = 37;
  for (const Isa isa : available_isas())
    for (const DType dtype :
         {DType::f32, DType::f16, DType::bf16, DType::f8_e4m3, DType::q8_0, DType::q4_k, DType::q6_k}) {
      CAPTURE(name_of(isa), dtype_name(dtype));
      const Weight weight = random_weight(random, dtype, kOut, kIn);
      Linear linear(weight.view, random.values(kOut));
      PageMemory memory;
      pack(linear, dtype, memory);
      Workspace one(1, kernels_for(isa), packed_kernels(isa));
      Workspace three(3, kernels_for(isa), packed_kernels(isa));
      const Rows x(random, kRows, kIn);
      Rows together(kRows, kOut);
      Rows apart(kRows, kOut);
      linear.forward(x.matrix(), together.matrix(), three);
      std::size_t piece = 1;
      for (std::size_t row = 0; row < kRows; row += piece++)
        linear.forward(x.matrix().middle_rows(row, std::min(piece, kRows - row)),
                       apart.matrix().middle_rows(row, std::min(piece, kRows - row)), one);
      CHECK(together.packed() == apart.packed());
    }
}

TEST_CASE("packed linear: floats may be quantized while they are packed", "[packed]") {
  Random random(23);
  Workspace workspace(1, best_kernels());
  const Weight weight = random_weight(random, DType::bf16, 40, 256);
  const Rows x(random, 5, 256);
  Rows exact(5, 40);
  Linear(weight.view).forward(x.matrix(), exact.matrix(), workspace);
  for (const auto& [type, share] :
       {std::pair(DType::q8_0, 0.01), std::pair(DType::q4_0, 0.15), std::pair(DType::q4_k, 0.15)}) {
    CAPTURE(dtype_name(type));
    Linear linear(weight.view);
    PageMemory memory;
    CHECK(packed_type(linear, LinearRole::plain, type) == type);
    pack(linear, type, memory);
    Rows y(5, 40);
    linear.forward(x.matrix(), y.matrix(), workspace);
    double difference = 0.0;
    double size = 0.0;
    for (std::size_t row = 0; row < 5; ++row)
      for (std::size_t out = 0; out < 40; ++out) {
        difference += std::pow(static_cast<double>(y.at(row, out) - exact.at(row, out)), 2.0);
        size += std::pow(static_cast<double>(exact.at(row, out)), 2.0);
      }
    CHECK(std::sqrt(difference / size) < share);
    CHECK(difference > 0.0);
  }
}

TEST_CASE("packed linear: what weights become", "[packed]") {
  Random random(24);
  const auto type_of = [&](DType dtype, std::size_t cols, LinearRole role, std::optional<DType> wanted) {
    const Weight weight = random_weight(random, dtype, 4, cols);
    return packed_type(Linear(weight.view), role, wanted);
  };
  using Role = LinearRole;
  CHECK(type_of(DType::q4_k, 256, Role::plain, std::nullopt) == DType::q4_k);
  CHECK(type_of(DType::q4_k, 256, Role::plain, DType::q8_0) == DType::q4_k);  // It is quantized already.
  CHECK(type_of(DType::f16, 7, Role::plain, std::nullopt) == DType::f16);
  CHECK(type_of(DType::f16, 288, Role::plain, DType::q4_k) == DType::q5_0);
  CHECK(type_of(DType::f16, 40, Role::plain, DType::q4_k) == DType::f16);
  CHECK(type_of(DType::bf16, 256, Role::router, DType::q4_k) == DType::f32);
  CHECK(type_of(DType::q8_0, 256, Role::router, DType::q4_k) == DType::q8_0);
  CHECK(type_of(DType::f8_e4m3, 256, Role::plain, std::nullopt) == DType::f8_e4m3);
  CHECK(type_of(DType::f8_e4m3, 256, Role::plain, DType::q8_0) == DType::q8_0);
}

TEST_CASE("packed linear: a value the type cannot hold is an error that names it", "[packed]") {
  std::vector<float> values(32, 1.0F);
  values[5] = HUGE_VALF;
  const WeightView view{{DType::f32, Shape{1, 32}, reinterpret_cast<const std::byte*>(values.data())},
                        std::nullopt};
  Linear linear(view);
  PageMemory memory;
  linear.reserve_panels(DType::q8_0, memory);
  const Error error = thrown_by([&] { linear.pack_panel(0, best_kernels()); });
  CHECK(error.code() == ErrorCode::unsupported);
  CHECK(std::string(error.what()).find("Q8_0") != std::string::npos);
}

TEST_CASE("packed linear: weights with a row for each input", "[packed]") {
  Random random(25);
  constexpr std::size_t kIn = 48;
  constexpr std::size_t kAll = 70;
  const Weight stored = random_weight(random, DType::f32, kIn, kAll);
  Workspace workspace(2, best_kernels());
  const Rows x(random, 3, kIn);
  for (const std::size_t first : {0U, 13U}) {
    const std::vector<float> bias = random.values(40);
    Linear plain = Linear::input_major(stored.view, first, 40, bias);
    Linear packed = Linear::input_major(stored.view, first, 40, bias);
    PageMemory memory;
    pack(packed, *packed_type(packed, LinearRole::plain, std::nullopt), memory);
    Rows expected(3, 40);
    Rows found(3, 40);
    plain.forward(x.matrix(), expected.matrix(), workspace);
    packed.forward(x.matrix(), found.matrix(), workspace);
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t out = 0; out < 40; ++out)
        CHECK(found.at(row, out) == Approx(expected.at(row, out)).margin(kIn * 0x1.0p-22));
  }
}

TEST_CASE("linear input: gathered rows are the rows themselves in every form", "[packed]") {
  Random random(26);
  Workspace workspace(2, best_kernels());
  const Rows x(random, 9, 256);
  LinearInput input = x.matrix();
  const std::vector<std::size_t> which = {8, 0, 3, 3, 5};
  Rows chosen(which.size(), 256);
  for (std::size_t i = 0; i < which.size(); ++i)
    for (std::size_t col = 0; col < 256; ++col) chosen.at(i, col) = x.at(which[i], col);
  for (const DType dtype : {DType::f32, DType::bf16, DType::f8_e4m3, DType::q8_0, DType::q4_k}) {
    CAPTURE(dtype_name(dtype));
    const Weight weight = random_weight(random, dtype, 33, 256);
    Linear linear(weight.view);
    PageMemory memory;
    pack(linear, dtype, memory);
    input.add(workspace.packed.form(linear.packed().dtype()), workspace);
    const LinearInput gathered = input.gather(which, false, workspace);
    CHECK(gathered.floats().data == nullptr);
    Rows expected(which.size(), 33);
    Rows found(which.size(), 33);
    linear.forward(chosen.matrix(), expected.matrix(), workspace);
    const LinearJob job{&linear, found.matrix()};
    run_linears(gathered, {&job, 1}, workspace);
    CHECK(found.packed() == expected.packed());
  }
}
