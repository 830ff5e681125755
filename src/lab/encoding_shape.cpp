#include "lab/encoding_shape.h"

#include <cmath>
#include <numeric>

namespace mla::lab {

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

std::vector<double> steps(const EncodingValues& values) {
  std::vector<double> result;
  for (std::size_t p = 0; p + 1 < values.size(); ++p) {
    double sum = 0.0;
    for (std::size_t i = 0; i < values[p].size(); ++i) sum += std::pow(values[p + 1][i] - values[p][i], 2.0);
    result.push_back(std::sqrt(sum));
  }
  return result;
}

std::vector<std::size_t> changes(const EncodingValues& values, std::size_t dim) {
  std::vector<std::size_t> result;
  for (std::size_t p = 1; p < values.size(); ++p)
    if (values[p][dim] != values[p - 1][dim]) result.push_back(p);
  return result;
}

std::vector<double> pair_speeds(const EncodingValues& values) {
  if (values.size() < 2) return {};
  std::vector<double> result(values[0].size() / 2);
  for (std::size_t i = 0; i < result.size(); ++i) {
    for (std::size_t p = 1; p < values.size(); ++p)
      result[i] += std::hypot(values[p][2 * i] - values[p - 1][2 * i],
                              values[p][2 * i + 1] - values[p - 1][2 * i + 1]);
    result[i] /= static_cast<double>(values.size() - 1);
  }
  return result;
}

std::vector<std::vector<double>> similarities(const EncodingValues& values, std::size_t stride) {
  std::vector<std::vector<double>> result;
  for (std::size_t p = 0; p < values.size(); p += stride) {
    auto& row = result.emplace_back();
    for (std::size_t other = 0; other < values.size(); other += stride)
      row.push_back(dot(values[p], values[other]) /
                    std::sqrt(dot(values[p], values[p]) * dot(values[other], values[other])));
  }
  return result;
}

}  // namespace mla::lab
