// The report's tables and attention maps, as HTML.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lab/report_data.h"

namespace mla::lab {

/// The rows of `mla compare`; `two words` are those of data.positions().
std::string summary_table(const ReportData& data);

/// Spread of the scores and of their parts, distance and entropy of the attention.
std::string attention_table(const ReportData& data);

/// Perplexity and probes of the trained family; empty if there is none.
std::string trained_table(const ReportData& data);

/// A token as a label: without the mark of a leading space, line breaks shown, cut when long.
std::string token_label(std::string_view token);

/// The sentence, the two words marked.
std::string marked_tokens(const ReportData& data);

struct MapChoice {
  std::string_view encoding;
  std::string_view mask;
  std::size_t layer = 0;
  std::size_t head = 0;
};

/// The head that the maps show at first: of decoupled RoPE, else of the first row that has maps. Its encoding is empty
/// if no row has.
MapChoice first_map(const ReportData& data);

/// A matrix of a head, queries down and keys across. `part`: attention, content_scores, rotary_scores, bias.
std::string head_map(const ReportData& data, const MapChoice& choice, std::string_view part);

/// <option>s of the rows that have maps, by row_label(), and of a row's layers and heads.
std::string encoding_options(const ReportData& data, std::string_view chosen);
std::string count_options(std::size_t count, std::size_t chosen);

}  // namespace mla::lab
