// Numbers as the report's prose has them, in plain text.
#pragma once

#include <optional>
#include <string>

#include "lab/report_data.h"

namespace mla::lab {

/// Three significant digits: "0", "1.73", "126", "48,300", "3.1×10⁻⁷"; "not measured" if there is none.
std::string figure_text(std::optional<double> value);

/// A count: "16".
std::string whole_text(std::optional<double> value);

/// Of a share between 0 and 1: "97.4 %".
std::string percent_text(std::optional<double> share);

/// With its interval: "4.21 ± 0.13".
std::string estimate_text(const std::optional<Estimate>& estimate);
std::string percent_text(const std::optional<Estimate>& estimate);

}  // namespace mla::lab
