#include "lab/family.h"

#include <algorithm>
#include <system_error>

#include "mla/error.h"
#include "positional/registry.h"

namespace mla::lab {

std::vector<std::string> family_encodings(const std::filesystem::path& family) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const EncodingEntry* entry : encodings())
    if (std::filesystem::is_directory(family / entry->name, ignored)) found.emplace_back(entry->name);
  if (found.empty())
    throw Error(ErrorCode::io, family.string(), "",
                "found no folder named after an encoding, expected some of " + encoding_names());
  return found;
}

FamilyMember load_member(const std::filesystem::path& family, std::string_view encoding) {
  const std::filesystem::path folder = family / encoding;
  const std::vector<std::string> members = family_encodings(family);
  if (std::find(members.begin(), members.end(), encoding) == members.end()) {
    std::string names;
    for (const std::string& name : members) names += (names.empty() ? "" : ", ") + name;
    throw Error(ErrorCode::io, folder.string(), "", "no such member of the family; it has " + names);
  }
  FamilyMember member{std::string(encoding), Model::load(folder, {.precision = Precision::f32}),
                      Tokenizer::load(folder)};
  if (const std::string& own = member.model->info().trained_position_encoding; own != encoding)
    throw Error(ErrorCode::mismatch, (folder / "config.json").string(), "position_encoding",
                "found \"" + own + "\", expected the folder's name \"" + member.encoding + "\"");
  return member;
}

std::vector<FamilyMember> load_family(const std::filesystem::path& family) {
  std::vector<FamilyMember> members;
  for (const std::string& encoding : family_encodings(family)) {
    members.push_back(load_member(family, encoding));
    const std::size_t length = members.back().trained_length();
    if (const std::size_t first = members.front().trained_length(); length != first) {
      throw Error(ErrorCode::mismatch, (family / encoding / "config.json").string(),
                  "max_position_embeddings",
                  "found " + std::to_string(length) + ", expected " + std::to_string(first) + " as in " +
                      members.front().encoding);
    }
  }
  return members;
}

}  // namespace mla::lab
