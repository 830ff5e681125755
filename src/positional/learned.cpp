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
  /// Of an `x` wider than the table the rest stays.
  void add(std::size_t position, std::span<float> x) const override {
    const float* row = table_.values.data() + position * table_.dims;
    for (std::size_t i = 0; i < std::min(x.size(), table_.dims); ++i) x[i] += row[i];
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
