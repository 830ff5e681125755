#include "model/rope_config.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace mla {
namespace {

constexpr double kLeast = 1e-6;
constexpr double kGreatest = 1e12;

/// The object that holds the parameters, if there is one that is not empty.
std::optional<JsonField> find_parameters(const JsonField& config) {
  for (const char* key : {"rope_scaling", "rope_parameters"})
    if (auto field = config.find(key); field && !field->expect_object().json().empty()) return field;
  return std::nullopt;
}

double read_positive(const JsonField& field) {
  return field.as_number(kLeast, kGreatest);
}

double optional_positive(const JsonField& parameters, const char* key, double otherwise) {
  const auto field = parameters.find(key);
  if (!field || field->as_number() == 0.0) return otherwise;  // The reference takes 0 for "not given".
  return read_positive(*field);
}

RopeType read_type(const JsonField& parameters) {
  for (const char* key : {"rope_type", "type"}) {
    const auto field = parameters.find(key);
    if (!field) continue;
    const auto type = rope_type_named(field->as_string());
    if (!type)
      field->unsupported("found \"" + field->as_string() +
                         "\", expected one of default, linear, dynamic, yarn, llama3, longrope, factors");
    return *type;
  }
  return RopeType::standard;
}

std::size_t read_original_length(const JsonField& config, const JsonField& parameters,
                                 std::size_t otherwise) {
  for (const JsonField* place : {&config, &parameters})
    if (const auto field = place->find("original_max_position_embeddings"))
      return static_cast<std::size_t>(field->as_int(1, std::numeric_limits<std::int32_t>::max()));
  return otherwise;
}

/// mla rotates what it rotates as a whole. The reference takes the factor beside the parameters only where there is
/// none among them.
void check_partial_factor(const JsonField& config, const std::optional<JsonField>& parameters,
                          double expected) {
  auto field = parameters ? parameters->find("partial_rotary_factor") : std::nullopt;
  if (!field) field = config.find("partial_rotary_factor");
  if (field && std::abs(field->as_number() - expected) > 1e-9)
    field->unsupported("found " + field->json().dump() + ", expected " + Json(expected).dump());
}

std::vector<double> read_factors(const JsonField& field, std::size_t expected) {
  if (field.array_size() != expected)
    field.fail("found " + std::to_string(field.array_size()) +
               " values, expected half of the values to rotate, " + std::to_string(expected));
  std::vector<double> factors;
  for (std::size_t i = 0; i < expected; ++i) factors.push_back(read_positive(field.element(i)));
  return factors;
}

void read_yarn(const JsonField& parameters, RopeScaling& scaling) {
  scaling.mscale = optional_positive(parameters, "mscale", 0.0);
  scaling.beta_fast = optional_positive(parameters, "beta_fast", scaling.beta_fast);
  scaling.beta_slow = optional_positive(parameters, "beta_slow", scaling.beta_slow);
  if (const auto field = parameters.find("truncate")) scaling.truncate = field->as_bool();
  if (scaling.theta == 1.0) parameters.fail("found rope_theta 1, expected another base for yarn");
}

void read_llama3(const JsonField& parameters, RopeScaling& scaling) {
  scaling.low_freq_factor = read_positive(parameters.get("low_freq_factor"));
  scaling.high_freq_factor = read_positive(parameters.get("high_freq_factor"));
  if (scaling.high_freq_factor <= scaling.low_freq_factor)
    parameters.get("high_freq_factor").fail("expected more than low_freq_factor");
}

void read_query_scaling(const JsonField& config, const JsonField& parameters, RopeScaling& scaling) {
  scaling.query_scaling_beta = parameters.get("llama_4_scaling_beta").as_number(0.0, kGreatest);
  scaling.original_max_position_embeddings =
      read_original_length(config, parameters, scaling.max_position_embeddings);
}

/// `factor`, which yarn and longrope may leave out: the contexts' ratio then.
double read_factor(const JsonField& parameters, const RopeScaling& scaling) {
  const bool may_be_derived = scaling.type == RopeType::longrope || scaling.type == RopeType::yarn;
  if (may_be_derived && !parameters.find("factor"))
    return static_cast<double>(scaling.max_position_embeddings) /
           static_cast<double>(scaling.original_max_position_embeddings);
  return read_positive(parameters.get("factor"));
}

}  // namespace

RopeScaling read_rope_scaling(const JsonField& config, std::size_t rope_dim,
                              std::size_t max_position_embeddings, const RopeDefaults& defaults) {
  RopeScaling scaling;
  scaling.theta = defaults.theta;
  scaling.max_position_embeddings = max_position_embeddings;
  if (const auto theta = config.find("rope_theta")) scaling.theta = read_positive(*theta);
  const auto found = find_parameters(config);
  if (found) scaling.type = read_type(*found);
  if (scaling.type != RopeType::standard || defaults.default_type_is_partial)
    check_partial_factor(config, found, defaults.partial_rotary_factor);
  if (!found && defaults.query_scaling) config.get("rope_parameters").get("llama_4_scaling_beta");
  if (!found) return scaling;
  const JsonField& parameters = *found;

  if (const auto theta = parameters.find("rope_theta")) scaling.theta = read_positive(*theta);
  if (defaults.query_scaling) read_query_scaling(config, parameters, scaling);
  if (scaling.type == RopeType::standard) return scaling;
  if (scaling.type == RopeType::factors) {
    scaling.factors = read_factors(parameters.get("factors"), rope_dim / 2);
    return scaling;
  }

  scaling.original_max_position_embeddings =
      read_original_length(config, parameters, max_position_embeddings);
  scaling.factor = read_factor(parameters, scaling);
  scaling.mscale_all_dim = optional_positive(parameters, "mscale_all_dim", 0.0);
  if (const auto field = parameters.find("attention_factor"))
    scaling.attention_factor = read_positive(*field);
  if (scaling.type == RopeType::yarn) read_yarn(parameters, scaling);
  if (scaling.type == RopeType::llama3) read_llama3(parameters, scaling);
  if (scaling.type == RopeType::dynamic && rope_dim < 4)
    parameters.unsupported("dynamic scaling needs at least 4 values to rotate, found " +
                           std::to_string(rope_dim));
  if (scaling.type == RopeType::longrope) {
    scaling.short_factor = read_factors(parameters.get("short_factor"), rope_dim / 2);
    scaling.long_factor = read_factors(parameters.get("long_factor"), rope_dim / 2);
  }
  return scaling;
}

}  // namespace mla
