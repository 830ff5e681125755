// What an encoding's values look like from one position to the next.
#pragma once

#include <cstddef>
#include <vector>

#include "lab/report_data.h"

namespace mla::lab {

double dot(const std::vector<double>& a, const std::vector<double>& b);

/// The length of the step from each position to the next.
std::vector<double> steps(const EncodingValues& values);

/// Positions at which value `dim` changes.
std::vector<std::size_t> changes(const EncodingValues& values, std::size_t dim);

/// Mean change from a position to the next of each pair of values (2i, 2i + 1).
std::vector<double> pair_speeds(const EncodingValues& values);

/// Cosine of every position's vector to every other's, for every `stride`-th position.
std::vector<std::vector<double>> similarities(const EncodingValues& values, std::size_t stride);

}  // namespace mla::lab
