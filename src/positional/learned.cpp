// A trained vector for each position (Gehring et al. 2017, "Convolutional Sequence to Sequence Learning"; BERT and
// GPT-2 use it): there is none beyond the trained length.
#include <algorithm>
#include <utility>

#include "mla/error.h"
#include "positional/additive.h"
#include "positional/registry.h"

namespace mla {
namespace {

class LearnedEncoding final : public AdditiveEncoding {
 public:
  LearnedEncoding(PositionTable table, const std::string& source)
      : AdditiveEncoding(source), table_(std::move(table)) {}

  std::string describe() const override {
    return "learned table of " + std::to_string(table_.values.size() / table_.dims) + " positions";
  }
  std::optional<std::size_t> positions() const override { return table_.values.size() / table_.dims; }

 private:
  /// `out` has the table's width or less: of a wider one the rest is 0.
  void write(std::size_t position, std::span<float> out) const override {
    const auto row = table_.values.begin() + static_cast<std::ptrdiff_t>(position * table_.dims);
    const std::size_t count = std::min(out.size(), table_.dims);
    std::copy_n(row, count, out.begin());
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(count), out.end(), 0.0F);
  }

  PositionTable table_;
};

}  // namespace

extern const EncodingEntry kLearnedEncoding = {
    "learned", "x + table[p]", "Gehring et al. 2017; GPT-2",
    [](const EncodingSettings& settings) -> std::unique_ptr<PositionalEncoding> {
      if (!settings.table)
        throw Error(ErrorCode::unsupported, settings.source, "position encoding",
                    "found \"learned\" for a checkpoint without a table of positions (embed_positions), "
                    "expected an encoding that needs none");
      return std::make_unique<LearnedEncoding>(*settings.table, settings.source);
    }};

}  // namespace mla
