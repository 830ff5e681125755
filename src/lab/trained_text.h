// The measures of the trained family as tables of at most 100 columns.
#pragma once

#include <span>
#include <string>

#include "lab/statistics.h"
#include "lab/trained_result.h"

namespace mla::lab {

/// A row for each encoding, "-" for what is not there, and below how sure the accuracies are. Accuracies in
/// percent.
std::string trained_table(std::span<const TrainedResult> results);

/// The same measures with "mean ±half width": a table of the perplexities and one of the accuracies.
std::string statistics_tables(const Statistics& statistics);

}  // namespace mla::lab
