// Measuring the machine: what is measured, not how fast it is.
#include "mla/machine.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "bench/peaks.h"
#include "bench/read_bandwidth.h"
#include "bench/together.h"
#include "kernels/isa.h"
#include "unit/base/thrown.h"

using mla::Isa;
using mla::MultiplyUnit;

TEST_CASE("threads run together", "[bench][threads]") {
  std::vector<std::atomic<int>> runs(5);
  const double seconds =
      mla::seconds_together(5, [&](int thread) { ++runs[static_cast<std::size_t>(thread)]; });
  CHECK(seconds >= 0.0);
  for (const auto& count : runs) CHECK(count == 1);
  CHECK(thrown_by([] { mla::seconds_together(0, [](int) {}); }).code() == mla::ErrorCode::argument);
}

TEST_CASE("every available peak loop runs", "[bench]") {
  const std::vector<mla::PeakLoop> loops = mla::peak_loops(mla::available_isas().back());
  for (const mla::PeakLoop& loop : loops) {
    CAPTURE(mla::name_of(loop.isa), mla::name_of(loop.unit));
    CHECK(mla::measure_peak(loop, 1, 1, 1e-4) > 0.0);
    CHECK(mla::measure_peak(loop, 2, 1, 1e-4) > 0.0);
  }
  CHECK(mla::peak_loops(Isa::scalar).empty());
#if defined(__x86_64__)
  const auto isas = mla::available_isas();
  if (std::find(isas.begin(), isas.end(), Isa::avx2) != isas.end()) {
    REQUIRE(mla::peak_loops(Isa::avx2).size() == 2);
    CHECK(mla::peak_loops(Isa::avx2).front().unit == MultiplyUnit::fp32);
    CHECK(mla::peak_loops(Isa::avx2).back().unit == MultiplyUnit::int8);
  }
#endif
}

TEST_CASE("a buffer is read by any number of threads", "[bench]") {
  const mla::ReadBuffer buffer(std::size_t{1} << 22, 2);
  CHECK(buffer.bytes() == std::size_t{1} << 22);
  CHECK(buffer.measure(1, 2) > 0.0);
  CHECK(buffer.measure(3, 2) > 0.0);
  CHECK(mla::memory_bytes() >= mla::available_memory_bytes());
  CHECK(mla::available_memory_bytes() > 0);
}

TEST_CASE("only what is asked for is measured", "[bench]") {
  mla::MachineOptions options;
  options.read = false;
  options.units = {MultiplyUnit::fp32};
  options.threads = {1, 2};
  options.quick = true;
  std::size_t steps = 0;
  std::size_t to_do = 0;
  const mla::MachineLimits limits = mla::measure_machine(options, [&](std::size_t done, std::size_t total) {
    CHECK(done == ++steps);
    to_do = total;
  });
  CHECK(steps == to_do);
  CHECK(limits.reads.empty());
  CHECK(limits.peaks.size() == steps);
  for (const mla::MultiplyPeak& peak : limits.peaks) CHECK(peak.unit == MultiplyUnit::fp32);
  CHECK(limits.isa == mla::name_of(mla::chosen_isa()));
  CHECK(limits.cores >= 1);
  CHECK_FALSE(limits.processor.empty());

  options.threads = {0};
  CHECK(thrown_by([&] { mla::measure_machine(options); }).code() == mla::ErrorCode::argument);
}
