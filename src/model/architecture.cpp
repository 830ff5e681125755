#include "model/architecture.h"

#include <array>
#include <string>

#include "model/deepseek.h"
#include "model/deepseek_v32.h"
#include "model/glm4_moe_lite.h"
#include "model/gpt2.h"
#include "model/llama_family.h"
#include "model/longcat_flash.h"
#include "model/minicpm3.h"
#include "model/mistral4.h"
#include "model/youtu.h"

namespace mla {
namespace {

constexpr std::array kArchitectures = {
    Architecture{"deepseek_v2", build_deepseek},
    Architecture{"deepseek_v3", build_deepseek},
    Architecture{"deepseek_v32", build_deepseek_v32},
    Architecture{"kimi_k2", build_deepseek},
    Architecture{"minicpm3", build_minicpm3},
    Architecture{"youtu", build_youtu},
    Architecture{"glm4_moe_lite", build_glm4_moe_lite},
    Architecture{"mistral4", build_mistral4},
    Architecture{"longcat_flash", build_longcat_flash},
    Architecture{"llama", build_llama_like<read_llama_config>},
    Architecture{"mistral", build_llama_like<read_mistral_config>},
    Architecture{"ministral", build_llama_like<read_mistral_config>},
    Architecture{"qwen2", build_llama_like<read_qwen2_config>},
    Architecture{"qwen3", build_llama_like<read_qwen3_config>},
    Architecture{"gpt2", build_gpt2},
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
