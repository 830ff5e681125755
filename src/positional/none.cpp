// No encoding: attention sees a bag of tokens, and only the causal mask gives it an order (Haviv et al. 2022,
// "Transformer Language Models without Positional Encodings Still Learn Positional Information").
#include "positional/registry.h"

namespace mla {
namespace {

class NoEncoding final : public PositionalEncoding {
 public:
  std::string describe() const override { return "none"; }
  EncodingStage stage() const override { return EncodingStage::nowhere; }
  std::vector<float> values(std::size_t, std::size_t dims) const override {
    return std::vector<float>(dims, 0.0F);
  }
};

}  // namespace

extern const EncodingEntry kNoEncoding = {"none", "x", "Haviv et al. 2022",
                                          [](const EncodingSettings&) -> std::unique_ptr<PositionalEncoding> {
                                            return std::make_unique<NoEncoding>();
                                          }};

}  // namespace mla
