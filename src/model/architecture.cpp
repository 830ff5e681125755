#include "model/architecture.h"

#include <array>
#include <string>

#include "model/deepseek.h"
#include "model/deepseek_v32.h"

namespace mla {
namespace {

constexpr std::array kArchitectures = {
    Architecture{"deepseek_v2", build_deepseek},
    Architecture{"deepseek_v3", build_deepseek},
    Architecture{"deepseek_v32", build_deepseek_v32},
    Architecture{"kimi_k2", build_deepseek},
};

}  // namespace

std::span<const Architecture> architectures() {
  return kArchitectures;
}

const Architecture& architecture_of(const JsonField& config) {
  const JsonField type = config.get("model_type");
  std::string known;
  for (const Architecture& architecture : architectures()) {
    if (architecture.model_type == type.as_string()) return architecture;
    known += (known.empty() ? "" : ", ") + std::string(architecture.model_type);
  }
  type.unsupported("found \"" + type.as_string() + "\", expected one of " + known);
}

}  // namespace mla
