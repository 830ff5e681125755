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

/// Mean over all pairs of positions that lie `distance` apart, for each distance below the number of positions.
std::vector<double> dot_by_distance(const EncodingValues& values);

/// The greatest difference between two dot products of positions equally far apart, over the greatest dot product.
double spread_of_dots(const EncodingValues& values);

/// Mean change from a position to the next of each pair of values (2i, 2i + 1).
std::vector<double> pair_speeds(const EncodingValues& values);

/// Cosine of every position's vector to every other's, for every `stride`-th position.
std::vector<std::vector<double>> similarities(const EncodingValues& values, std::size_t stride);

}  // namespace mla::lab
