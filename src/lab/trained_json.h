// The measures of the trained family as JSON, and the file that keeps them for several seeds.
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "lab/statistics.h"
#include "lab/trained_result.h"

namespace mla::lab {

/// {"encoding", "perplexity": {"1", "2", "4"}, "copy", "word_order", "coreference", "phase_shift": {"0", ...},
/// "perplexity_at": [[first, last, perplexity], ...]}; null for what is not there.
nlohmann::ordered_json to_json(const Measures<double>& measures);

/// {"seeds", "confidence", "rows": [the same with {"mean", "half_width"} for each number]}
nlohmann::ordered_json to_json(const Statistics& statistics);

/// [{"seed", "trained": [measures, ...]}, ...]. "perplexity_at" may be absent. Throws Error (io, format).
std::vector<SeedResult> read_seed_results(const std::filesystem::path& file);
void write_seed_results(const std::filesystem::path& file, std::span<const SeedResult> seeds);

/// What the family's statistics.json comes to; nothing if it has none. Throws Error (io, format, mismatch,
/// argument for fewer than two seeds).
std::optional<Statistics> family_statistics(const std::filesystem::path& family);

}  // namespace mla::lab
