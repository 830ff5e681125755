#include "model/packing.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/kernels.h"

namespace mla {
namespace {

/// Some panels of one matrix, or of what an attention packs for itself.
struct PackingItem {
  Linear* linear;
  Attention* attention;
  std::size_t first;
  std::size_t count;
  std::size_t bytes;  ///< Of a matrix, as they lie in the file.
};

void run(const PackingItem& item, const Kernels& kernels) {
  for (std::size_t i = item.first; i < item.first + item.count; ++i) {
    if (item.linear != nullptr)
      item.linear->pack_panel(i, kernels);
    else
      item.attention->pack_fast(i, kernels);
  }
}

std::vector<PackingItem> list_items(Decoder& decoder, const PackingOptions& options, PageMemory& memory) {
  constexpr std::size_t kPanelsAtOnce = 16;
  std::vector<PackingItem> items;
  decoder.visit_linears([&](Linear& linear, LinearRole role) {
    const std::optional<DType> type = packed_type(linear, role, options.quantize);
    if (!type) return;
    linear.reserve_panels(*type, memory);
    const std::size_t panels = linear.packed().panels();
    const std::size_t panel_bytes = linear.weight().data.bytes() / std::max<std::size_t>(1, panels);
    for (std::size_t first = 0; first < panels; first += kPanelsAtOnce) {
      const std::size_t count = std::min(kPanelsAtOnce, panels - first);
      items.push_back({&linear, nullptr, first, count, count * panel_bytes});
    }
  });
  const std::vector<std::size_t> counts = use_fast_attention(decoder, options.quantize, memory);
  for (std::size_t layer = 0; layer < counts.size(); ++layer)
    for (std::size_t i = 0; i < counts[layer]; ++i)
      items.push_back({nullptr, decoder.layers[layer].attention.get(), i, 1, 0});
  return items;
}

/// Counts what is done, tells of it and gives file pages back from time to time.
class Progress {
 public:
  Progress(const Checkpoint& checkpoint, const PackingOptions& options, std::size_t total)
      : checkpoint_(checkpoint), options_(options), total_(total) {}

  void add(std::size_t bytes, int worker) {
    constexpr std::size_t kMostPages = std::size_t{128} << 20;
    const std::size_t done = done_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (worker != 0) return;
    if (options_.progress) options_.progress(done, total_);
    if (done - released_ < kMostPages) return;
    checkpoint_.release_pages();
    released_ = done;
  }

 private:
  const Checkpoint& checkpoint_;
  const PackingOptions& options_;
  const std::size_t total_;
  std::atomic<std::size_t> done_{0};
  std::size_t released_ = 0;  ///< Worker 0's.
};

}  // namespace

std::vector<std::size_t> use_fast_attention(Decoder& decoder, std::optional<DType> quantize,
                                            PageMemory& memory) {
  const FastPlan plan{memory, quantize};
  std::vector<std::size_t> counts;
  for (DecoderLayer& layer : decoder.layers) counts.push_back(layer.attention->use_fast(plan));
  return counts;
}

void pack(Decoder& decoder, const Checkpoint& checkpoint, const PackingOptions& options, PageMemory& memory) {
  constexpr std::size_t kWorthThreads = std::size_t{4} << 20;
  const std::vector<PackingItem> items = list_items(decoder, options, memory);
  std::size_t total = 0;
  for (const PackingItem& item : items) total += item.bytes;
  const int threads = options.threads == 0 ? default_thread_count() : options.threads;
  ThreadPool pool(total < kWorthThreads ? 1 : threads);
  Progress progress(checkpoint, options, total);
  const Kernels& kernels = best_kernels();
  pool.parallel_for(items.size(), [&](std::size_t index, int worker) {
    run(items[index], kernels);
    progress.add(items[index].bytes, worker);
  });
  checkpoint.release_pages();
}

}  // namespace mla
