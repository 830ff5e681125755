// The one exception type of mla: what went wrong, in which file, at which tensor or field.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "mla/export.h"

namespace mla {

enum class ErrorCode {
  io,           ///< A file cannot be opened, read, mapped or written.
  format,       ///< A file is not what its format demands (truncated, malformed, inconsistent).
  unsupported,  ///< A valid value that mla does not know (architecture, rope type, dtype, regex, ...).
  mismatch,     ///< Parts that do not fit together (a tensor's shape against the config, ids against the
                ///< vocabulary).
  argument,     ///< The caller asked for something impossible (an empty prompt, a negative temperature).
  limit,        ///< A limit was exceeded (context length).
  numeric,      ///< The model computed something that is not a number.
};

/// Everything that can be wrong with input is thrown as an Error. `what()` is one line for a person:
/// "<file>: <field>: <message>", without the parts that are empty. The message says what was found and
/// what was expected. Control characters in any part are escaped so that the line stays one line.
class MLA_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string_view file, std::string_view field, std::string_view message);
  Error(ErrorCode code, std::string_view message);

  ErrorCode code() const noexcept { return code_; }
  const std::string& file() const noexcept { return file_; }
  const std::string& field() const noexcept { return field_; }

 private:
  ErrorCode code_;
  std::string file_;
  std::string field_;
};

}  // namespace mla
