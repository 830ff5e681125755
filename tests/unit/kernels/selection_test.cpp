// Which kernels a process uses.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <optional>
#include <set>
#include <string>

#include "kernels/kernels.h"
#include "mla/error.h"

using namespace mla;

namespace {

/// The environment variable MLA_ISA for as long as this lives, then what it was before.
class ForcedIsa {
 public:
  ForcedIsa() {
    if (const char* value = std::getenv("MLA_ISA")) before_ = value;
  }
  ForcedIsa(const ForcedIsa&) = delete;
  ForcedIsa& operator=(const ForcedIsa&) = delete;
  ~ForcedIsa() { before_ ? set(*before_) : unset(); }

  void set(const std::string& value) { ::setenv("MLA_ISA", value.c_str(), 1); }
  void unset() { ::unsetenv("MLA_ISA"); }

 private:
  std::optional<std::string> before_;
};

/// The message of the Error(unsupported) about MLA_ISA that `body` throws.
template <typename Body>
std::string refusal(Body body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::unsupported);
    CHECK(error.field() == "MLA_ISA");
    return error.what();
  }
  FAIL("no mla::Error was thrown");
  return "";
}

}  // namespace

TEST_CASE("The plainest kernels come first, each has a name of its own and fits a panel") {
  const auto all = available_kernels();
  REQUIRE_FALSE(all.empty());
  CHECK(std::string(all.front()->name) == "scalar");
  std::set<std::string> names;
  for (const Kernels* kernels : all) {
    CHECK(names.insert(kernels->name).second);
    CHECK(kernels->panel_cols >= 1);
    CHECK(kernels->panel_cols <= kMostPanelCols);
    CHECK(&kernels_named(kernels->name) == kernels);
  }
}

TEST_CASE("Unknown kernels are refused with the names of those there are") {
  const std::string message = refusal([] { kernels_named("bogus"); });
  CHECK_THAT(message, Catch::Contains("bogus"));
  for (const Kernels* kernels : available_kernels()) CHECK_THAT(message, Catch::Contains(kernels->name));
  for (const char* name : {"", "SCALAR", "scalar ", "avx"}) refusal([&] { kernels_named(name); });
}

TEST_CASE("MLA_ISA forces the kernels") {
  ForcedIsa isa;
  for (const Kernels* kernels : available_kernels()) {
    isa.set(kernels->name);
    CHECK(&best_kernels() == kernels);
  }
  isa.set("bogus");
  CHECK_THAT(refusal([] { best_kernels(); }), Catch::Contains("bogus"));
  isa.set("");
  CHECK(&best_kernels() == available_kernels().back());
  isa.unset();
  CHECK(&best_kernels() == available_kernels().back());
}
