// The family of models that differ in their positional encoding alone: models/encodings, or a folder like it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mla/model.h"
#include "mla/tokenizer.h"

namespace mla::lab {

/// A folder of the family with its weights and tokenizer; its name is that of the encoding it was trained with.
struct FamilyMember {
  std::string encoding;
  std::shared_ptr<const Model> model;
  std::shared_ptr<const Tokenizer> tokenizer;

  std::size_t trained_length() const { return model->info().max_context; }
};

/// The encodings that have a folder in the family, in the order of their story. Throws Error(io) if there are
/// none.
std::vector<std::string> family_encodings(const std::filesystem::path& family);

/// Throws Error(io) that lists the members there are if this is none of them, Error(mismatch) if the checkpoint
/// was trained with another encoding than its folder is named after, and what loading throws.
FamilyMember load_member(const std::filesystem::path& family, std::string_view encoding);

/// All members. Throws Error(mismatch) if they were trained at different lengths.
std::vector<FamilyMember> load_family(const std::filesystem::path& family);

}  // namespace mla::lab
