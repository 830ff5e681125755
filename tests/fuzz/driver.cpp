// One run of the target, as libFuzzer (or replay.cpp) asks for it.
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <unistd.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>

#include "fuzz/allocation_limit.h"
#include "mla/error.h"

namespace mla::fuzz {
namespace {

[[noreturn]] void report(const char* fault, const Error& error) {
  std::fprintf(stderr, "an mla::Error that %s: %s\n", fault, error.what());
  std::abort();
}

/// An Error is one line, and names the file that is at fault.
void check(const Error& error) {
  if (std::string_view(error.what()).find('\n') != std::string_view::npos) report("is no single line", error);
  const bool is_of_file = error.code() == ErrorCode::io || error.code() == ErrorCode::format ||
                          error.code() == ErrorCode::unsupported || error.code() == ErrorCode::mismatch;
  if (is_of_file && error.file().empty()) report("names no file", error);
}

/// Of this process: it does not count how long others kept the processor busy.
double processor_seconds() {
  std::timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

std::string run_once(std::string_view input) {
  constexpr double kMostSeconds = 1.0;
  const double begin = processor_seconds();
  std::string refused;
  try {
    const AllocationLimit limit(kTarget.allocation_base + kAllocationPerByte * input.size());
    kTarget.run(input);
  } catch (const Error& error) {
    check(error);
    refused = error.what();
  }
  if (const double seconds = processor_seconds() - begin; seconds > kMostSeconds) {
    std::fprintf(stderr, "an input that took %.1f s, expected at most %.0f s\n", seconds, kMostSeconds);
    std::abort();
  }
  return refused;
}

InputFile::InputFile(const char* name)
    : path_(folder_.path() / name), descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (descriptor_ < 0) throw std::runtime_error("cannot create " + path_.string());
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

void InputFile::put(std::string_view content) {
  const auto size = static_cast<ssize_t>(content.size());
  const bool shrinks = content.size() < size_;
  if (::pwrite(descriptor_, content.data(), content.size(), 0) != size ||
      (shrinks && ::ftruncate(descriptor_, size) != 0))
    throw std::runtime_error("cannot write " + path_.string());
  size_ = content.size();
}

void touch(std::span<const std::byte> bytes) {
  std::byte all{0};
  for (const std::byte byte : bytes) all ^= byte;
  [[maybe_unused]] const volatile std::byte seen = all;
}

std::filesystem::path corpus() {
  return MLA_FUZZ_CORPUS;
}

}  // namespace mla::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mla::fuzz::run_once({reinterpret_cast<const char*>(data), size});
  return 0;
}
