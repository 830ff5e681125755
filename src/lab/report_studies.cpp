#include "lab/report_studies.h"

#include <algorithm>

#include "lab/encoding_study.h"
#include "lab/encoding_study_json.h"

namespace mla::lab {
namespace {

constexpr std::size_t kPositions = 128;
constexpr std::size_t kDims = 32;

StudyRequest request_of(std::string_view name, const EncodingSettings& settings) {
  StudyRequest request{.first = 0, .last = kPositions - 1, .dims = kDims, .settings = settings};
  if (name == "learned") {
    request.dims = settings.table->dims;
    request.last = std::min(kPositions, settings.table->values.size() / settings.table->dims) - 1;
  }
  if (name.starts_with("rope") && settings.rotary_dim >= 2) request.dims = settings.rotary_dim;
  if (name == "alibi") request.dims = settings.num_heads;
  return request;
}

bool allowed(std::string_view name, const EncodingSettings& settings) {
  if (name == "none") return false;  // There is nothing to see.
  if (name == "learned") return settings.table.has_value() && !settings.table->values.empty();
  if (name == "rope-decoupled") return settings.decoupled && settings.rotary_dim >= 2;
  return name != "alibi" || settings.num_heads > 0;
}

}  // namespace

nlohmann::ordered_json report_studies(const EncodingSettings& settings) {
  nlohmann::ordered_json documents = nlohmann::ordered_json::array();
  for (const EncodingEntry* entry : encodings())
    if (allowed(entry->name, settings))
      documents.push_back(as_json(study_encoding(*entry, request_of(entry->name, settings))));
  return documents;
}

}  // namespace mla::lab
