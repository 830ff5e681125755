// How a Linear's weights come into panels.
#include <algorithm>
#include <array>

#include "mla/error.h"
#include "nn/linear.h"
#include "tensor/quantize.h"

namespace mla {
namespace {

bool is_float(DType dtype) {
  return dtype_traits(dtype).block_elements == 1;
}

/// Packed weights are cut finer than others: how the work is cut changes no result there.
std::size_t packed_tile(std::size_t out_features) {
  return std::clamp<std::size_t>((out_features / 32 + 31) / 32 * 32, 32, 256);
}

}  // namespace

std::optional<DType> packed_type(const Linear& linear, LinearRole role, std::optional<DType> wanted) {
  const WeightView& weight = linear.weight();
  const auto whole_blocks = [&](DType dtype) {
    return linear.in_features() % dtype_traits(dtype).block_elements == 0;
  };
  if (role == LinearRole::router && is_float(weight.data.dtype)) return DType::f32;
  if (wanted && is_float(weight.data.dtype)) {
    if (whole_blocks(*wanted)) return wanted;
    if (*wanted == DType::q4_k && whole_blocks(DType::q5_0)) return DType::q5_0;
  }
  // FP8 and block scales come together.
  if (weight.scale.has_value() != (weight.data.dtype == DType::f8_e4m3)) return std::nullopt;
  return weight.data.dtype;
}

void Linear::reserve_panels(DType type, PageMemory& memory) {
  const std::size_t scale_cols = weight_.scale ? weight_.scale->cols_per_block : 0;
  packed_ = PackedMatrix(type, out_features(), in_features(), memory, scale_cols);
  tile_ = packed_tile(out_features());
}

void Linear::pack_panel(std::size_t panel, const Kernels& kernels) {
  std::array<const std::byte*, kPanelRows> pointers{};
  const std::size_t first = packed_.panel_first(panel);
  const std::span<const std::byte*> rows(pointers.data(), packed_.panel_rows(panel));
  if (output_major() && packed_.dtype() == weight_.data.dtype) {
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = weight_.data.row(first + i);
    return packed_.pack(panel, rows, weight_.block_factors(first, rows.size()));
  }
  const DTypeTraits& traits = dtype_traits(packed_.dtype());
  const std::size_t row_bytes = in_features() / traits.block_elements * traits.block_bytes;
  std::vector<std::byte> encoded(rows.size() * row_bytes);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span<std::byte> out(encoded.data() + i * row_bytes, row_bytes);
    if (!encode_row(packed_.dtype(), decoded_row(first + i, kernels), out))
      throw Error(ErrorCode::unsupported, "", "quantize",
                  "found a weight that is not finite or too large, expected ones that " +
                      std::string(traits.name) + " can hold");
    rows[i] = out.data();
  }
  packed_.pack(panel, rows);
}

std::vector<float> Linear::decoded_row(std::size_t out, const Kernels& kernels) const {
  std::vector<float> row(in_features());
  if (output_major()) {
    decode_rows(weight_, out, 1, row.data(), kernels);
  } else {
    const DTypeTraits& traits = dtype_traits(weight_.data.dtype);
    const auto decode = kernels.decode[static_cast<std::size_t>(weight_.data.dtype)];
    for (std::size_t in = 0; in < row.size(); ++in)
      decode(weight_.data.row(in) + (first_col_ + out) * traits.block_bytes, &row[in], 1);
  }
  return row;
}

void add_form(LinearInput& x, const Linear& linear, Workspace& workspace) {
  if (linear.is_packed()) x.add(workspace.packed.form(linear.packed().dtype()), workspace);
}

}  // namespace mla
