// What it costs to share work out and wait for it.
#include <benchmark/benchmark.h>

#include "base/thread_pool.h"

namespace {

void round_trip(benchmark::State& state) {
  const auto threads = static_cast<int>(state.range(0));
  mla::ThreadPool pool(threads);
  for (auto _ : state)
    pool.parallel_for(static_cast<std::size_t>(threads),
                      [](std::size_t item, int) { benchmark::DoNotOptimize(item); });
}
BENCHMARK(round_trip)->Name("thread_pool/round_trip")->Arg(1)->Arg(2)->Arg(4)->UseRealTime();

}  // namespace
