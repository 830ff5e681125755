// Sine and cosine waves whose lengths form a geometric progression from 2 pi to 10000 * 2 pi (Vaswani et al.
// 2017, "Attention Is All You Need", section 3.5): PE(p, 2i) = sin(p / 10000^(2i/d)), PE(p, 2i + 1) = cos(same).
// That paper also multiplies the embedding by sqrt(d) before adding (section 3.4): `scale_embedding` in a config.
#include <cmath>

#include "positional/additive.h"
#include "positional/registry.h"

namespace mla {
namespace {

constexpr double kBase = 10000.0;

class SinusoidalEncoding final : public AdditiveEncoding {
 public:
  std::string describe() const override { return "sinusoidal"; }

 private:
  void add(std::size_t position, std::span<float> x) const override {
    const double dims = static_cast<double>(x.size());
    for (std::size_t i = 0; i < x.size(); i += 2) {
      const double angle = static_cast<double>(position) * std::pow(kBase, -static_cast<double>(i) / dims);
      x[i] += static_cast<float>(std::sin(angle));
      if (i + 1 < x.size()) x[i + 1] += static_cast<float>(std::cos(angle));
    }
  }
};

}  // namespace

extern const EncodingEntry kSinusoidalEncoding = {
    "sinusoidal", "x + (sin, cos)(p / 10000^(2i/d))", "Vaswani et al. 2017, section 3.5",
    [](const EncodingSettings&) -> std::unique_ptr<PositionalEncoding> {
      return std::make_unique<SinusoidalEncoding>();
    }};

}  // namespace mla
