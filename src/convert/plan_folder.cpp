#include "convert/plan.h"
#include "mla/error.h"
namespace mla {
ConversionPlan plan_folder(const std::filesystem::path& folder, const Quantization&) {
  throw Error(ErrorCode::unsupported, folder.string(), "", "later");
}
}
