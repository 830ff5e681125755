// tokenizer.json, then a byte that no JSON has (0xFF) and a text to encode and decode with it.
#include "fuzz/fuzz.h"
#include "fuzz/tokenizer_exercise.h"

namespace mla::fuzz {
namespace {

constexpr char kEndOfFile = '\xFF';
constexpr std::size_t kMostOfText = 512;  // A longer one takes more time and leads nowhere else.
constexpr std::string_view kText = "Ab cd  12\n<s>d\xC3\xA9j\xC3\xA0 \xFE x";

void run(std::string_view input) {
  static InputFile file("tokenizer.json");
  const std::size_t end = input.find(kEndOfFile);
  file.put(input.substr(0, end));
  const std::shared_ptr<const Tokenizer> tokenizer = Tokenizer::load(file.path());
  exercise(*tokenizer, end == std::string_view::npos ? kText : input.substr(end + 1, kMostOfText));
}

}  // namespace

// The table of tokens goes up to the highest id, for which a small file has 2^16; the cache of words has a fixed size.
const Target kTarget{.allocation_base = std::size_t{4} << 20, .run = run};

}  // namespace mla::fuzz
