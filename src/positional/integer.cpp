// The position itself, added to every value: the first thing one thinks of, and the reason for all that came
// after. Nobody published it as a proposal; it is where tutorials begin.
#include "positional/additive.h"
#include "positional/registry.h"

namespace mla {
namespace {

class IntegerEncoding final : public AdditiveEncoding {
 public:
  std::string describe() const override { return "integer"; }

 private:
  void add(std::size_t position, std::span<float> x) const override {
    for (float& value : x) value += static_cast<float>(position);
  }
};

}  // namespace

extern const EncodingEntry kIntegerEncoding = {
    "integer", "x_i + p", "the tutorials' first attempt",
    [](const EncodingSettings&) -> std::unique_ptr<PositionalEncoding> {
      return std::make_unique<IntegerEncoding>();
    }};

}  // namespace mla
