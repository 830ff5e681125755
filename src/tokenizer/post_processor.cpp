#include "tokenizer/post_processor.h"

#include "tokenizer/quote.h"
#include "tokenizer/vocabulary.h"

namespace mla {
namespace {

constexpr std::size_t kMostMarkers =
    1000;  // BOS, EOS and the like; a file may name one list again and again.

void append_special(const JsonField& piece, const JsonField& specials, std::vector<TokenId>& ids) {
  const JsonField name = piece.get("id");
  const std::optional<JsonField> special = specials.find(name.as_string());
  if (!special) name.fail(quote(name.as_string()) + " is not among the special_tokens");
  const JsonField list = special->get("ids");
  if (list.array_size() > kMostMarkers || ids.size() + list.array_size() > kMostMarkers)
    list.fail("found more than " + std::to_string(kMostMarkers) +
              " tokens around a text, expected at most so many");
  for (std::size_t i = 0; i < list.array_size(); ++i)
    ids.push_back(static_cast<TokenId>(list.element(i).as_int(0, kMostTokens - 1)));
}

PostProcessor read_template(const JsonField& field) {
  const JsonField single = field.get("single");
  const JsonField specials = field.get("special_tokens");
  PostProcessor result;
  bool text_seen = false;
  for (std::size_t i = 0; i < single.array_size(); ++i) {
    const JsonField piece = single.element(i).expect_object();
    if (const auto special = piece.find("SpecialToken")) {
      append_special(*special, specials, text_seen ? result.after : result.before);
      continue;
    }
    const JsonField id = piece.get("Sequence").get("id");
    if (id.as_string() != "A" || text_seen) id.unsupported("expected the sequence A, once");
    text_seen = true;
  }
  if (!text_seen) single.unsupported("expected the sequence A, once");
  return result;
}

}  // namespace

PostProcessor read_post_processor(const JsonField& field) {
  const std::string& type = field.get("type").as_string();
  if (type == "ByteLevel") return {};
  if (type == "TemplateProcessing") return read_template(field);
  if (type != "Sequence")
    field.get("type").unsupported("found " + quote(type) +
                                  ", expected TemplateProcessing, ByteLevel or Sequence");
  PostProcessor result;
  const JsonField members = field.get("processors");
  for (std::size_t i = 0; i < members.array_size(); ++i) {
    const PostProcessor outer = read_post_processor(members.element(i));
    if (result.before.size() + outer.before.size() + result.after.size() + outer.after.size() > kMostMarkers)
      members.fail("found more than " + std::to_string(kMostMarkers) +
                   " tokens around a text, expected at most so many");
    result.before.insert(result.before.begin(), outer.before.begin(), outer.before.end());
    result.after.insert(result.after.end(), outer.after.begin(), outer.after.end());
  }
  return result;
}

}  // namespace mla
