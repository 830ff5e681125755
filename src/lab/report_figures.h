// The report's charts: <svg> elements by name. One that the data do not have is empty.
#pragma once

#include "lab/page_template.h"
#include "lab/report_data.h"

namespace mla::lab {

/// figure.difference, figure.inflation, figure.pollution, figure.shift: one bar an encoding.
/// figure.bits, figure.waves, figure.steps, figure.dots, figure.learned, figure.slopes, figure.wavelengths: encodings.
/// figure.frequency-use: what the rotated pairs carry in a trained model.
/// figure.perplexity, figure.perplexity-at, figure.word-order, figure.copy, figure.phase-shift: the trained family.
void add_figures(const ReportData& data, PageValues& values);

/// The parts of add_figures().
void add_comparison_figures(const ReportData& data, PageValues& values);
void add_encoding_figures(const ReportData& data, PageValues& values);
void add_trained_figures(const ReportData& data, PageValues& values);

}  // namespace mla::lab
