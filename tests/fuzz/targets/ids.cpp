// Token ids as --ids has them.
#include "cli/command.h"
#include "fuzz/fuzz.h"

namespace mla::fuzz {
namespace {

void run(std::string_view input) {
  cli::parse_ids(input);
}

}  // namespace

const Target kTarget{.run = run};

}  // namespace mla::fuzz
