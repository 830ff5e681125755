// The binary digits of the position, lowest first: value k is bit k, and is 0 where the position has no such
// bit. Bounded, but bit k jumps every 2^k positions. The tutorials' second attempt.
#include <algorithm>
#include <limits>

#include "positional/additive.h"
#include "positional/registry.h"

namespace mla {
namespace {

class BinaryEncoding final : public AdditiveEncoding {
 public:
  std::string describe() const override { return "binary"; }

 private:
  void add(std::size_t position, std::span<float> x) const override {
    constexpr std::size_t kBits = std::numeric_limits<std::size_t>::digits;
    for (std::size_t k = 0; k < std::min(x.size(), kBits); ++k)
      x[k] += static_cast<float>((position >> k) & 1U);
  }
};

}  // namespace

extern const EncodingEntry kBinaryEncoding = {
    "binary", "x_k + bit k of p", "the tutorials' second attempt",
    [](const EncodingSettings&) -> std::unique_ptr<PositionalEncoding> {
      return std::make_unique<BinaryEncoding>();
    }};

}  // namespace mla
