#include "nn/flash_attention.h"

#include <algorithm>
#include <cstring>
#include <numbers>

#include "nn/sharing.h"
#include "tensor/dtype.h"

namespace mla {
namespace {

// A row of probabilities is not a power of two apart from the next, so that they lie in different sets of a cache.
constexpr std::size_t kProbabilityStride = kKeyBlock * 2 + 64;

// Columns of values that become panels at a time: so many lie in the first cache.
constexpr std::size_t kValueCols = 64;

// A row of biases likewise.
constexpr std::size_t kBiasStride = kKeyBlock + 16;

void multiply_bf16(const PanelJob& job, Workspace& workspace, int worker) {
  PanelJob with_scratch = job;
  with_scratch.scratch = workspace.packed_scratch(worker, job.cols);
  workspace.packed.multiply[static_cast<std::size_t>(DType::bf16)](with_scratch);
}

/// The memory of a block of keys, handed out in parts to the kernels that fetch it.
class BlockMemory {
 public:
  explicit BlockMemory(const BlockOfKeys& block) {
    const ActivationView& keys = block.keys;
    add(keys.values, keys.rows * keys.stride);
    if (block.value_rows != keys.values) add(block.value_rows, keys.rows * block.value_stride);
  }

  /// Some `share` of what is left, to be fetched in so many steps; no more than lies together.
  Ahead take(double share, std::size_t steps) {
    if (left_ == 0 || steps == 0) return {};
    if (stretches_[first_].bytes == 0) ++first_;
    Stretch& stretch = stretches_[first_];
    const auto lines = static_cast<std::size_t>(share * static_cast<double>(left_) / 64.0) + 1;
    const std::size_t bytes = std::min(64 * lines, stretch.bytes);
    const Ahead part{stretch.begin, stretch.begin + bytes, (bytes / 64 + steps - 1) / steps};
    stretch.begin += bytes;
    stretch.bytes -= bytes;
    left_ -= bytes;
    return part;
  }

 private:
  struct Stretch {
    const std::byte* begin = nullptr;
    std::size_t bytes = 0;
  };

  void add(const std::byte* begin, std::size_t bytes) {
    if (begin == nullptr || bytes == 0) return;
    stretches_[count_++] = {begin, bytes};
    left_ += bytes;
  }

  std::array<Stretch, 2> stretches_;
  std::size_t count_ = 0;
  std::size_t first_ = 0;
  std::size_t left_ = 0;
};

/// out = the probabilities of `keys` keys times their values.
void mix(const std::byte* values, Matrix out, std::size_t keys, const FlashScratch& scratch,
         Workspace& workspace, int worker) {
  const std::size_t padded = round_up(keys, kColumnStep);
  multiply_bf16({.panels = values,
                 .panel_bytes = ValuePanels::kPanelBytes,
                 .rows = out.cols,
                 .cols = padded,
                 .x = {.form = ActivationForm::bf16,
                       .rows = out.rows,
                       .cols = padded,
                       .values = scratch.probabilities,
                       .stride = kProbabilityStride},
                 .y = out},
                workspace, worker);
}

/// Adds the tile's bias to the scores [keys][lanes], which are logarithms to base 2.
void add_bias(const QueryTile& tile, const BlockOfKeys& block, std::size_t keys, const FlashScratch& scratch,
              const AttentionKernels& kernels) {
  const std::size_t group = tile.rows.group;
  const std::span<const std::uint32_t> chosen =
      block.chosen.empty() ? block.chosen : block.chosen.first(keys);
  for (std::size_t lane = 0; lane < tile.count; lane += kLanes) {
    const std::size_t count = std::min(kLanes, tile.count - lane);
    std::array<const float*, kLanes> rows{};
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = tile.row + lane + i;
      float* const values = scratch.biases + i * kBiasStride;
      tile.bias->fill(tile.head * group + row % group, row / group, block.first, chosen, {values, keys});
      rows[i] = values;
    }
    kernels.add_columns(rows.data(), count, keys, std::numbers::log2e_v<float>, scratch.scores + lane,
                        tile.lanes());
  }
}

}  // namespace

FlashScratch::FlashScratch(Carver& memory, std::size_t lanes, std::size_t value_cols)
    : scores(memory.take<float>(kKeyBlock * lanes)),
      probabilities(memory.take<std::byte>(lanes * kProbabilityStride)),
      begin(memory.take<float>(lanes)),
      end(memory.take<float>(lanes)),
      values(memory.take<std::byte>(ValuePanels::bytes(kValueCols))),
      partial(memory, lanes, value_cols),
      biases(memory.take<float>(kLanes * kBiasStride)) {}

void attend_block(const QueryTile& tile, const BlockOfKeys& block, const BlockOfKeys& next,
                  const FlashScratch& scratch, const PartialRows& result, Workspace& workspace, int worker) {
  const std::size_t lanes = tile.lanes();
  const std::size_t keys = std::min(block.keys.rows, tile.keys_end() - block.first);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const std::size_t row = tile.row + std::min(lane, tile.count - 1);
    const std::size_t begin = tile.rows.begin(row);
    const std::size_t end = tile.rows.end(row);
    scratch.begin[lane] = static_cast<float>(begin < block.first ? 0 : std::min(begin - block.first, keys));
    scratch.end[lane] = static_cast<float>(end < block.first ? 0 : std::min(end - block.first, keys));
  }
  // Shares by the time that each part takes.
  constexpr double kOfScores = 0.5, kOfSoftmax = 0.3;
  BlockMemory upcoming(next);
  multiply_bf16({.panels = tile.panels,
                 .panel_bytes = tile.panel_bytes(),
                 .rows = lanes,
                 .cols = tile.cols,
                 .x = block.keys.middle_rows(0, keys),
                 .y = {scratch.scores, keys, lanes, lanes},
                 .ahead = upcoming.take(kOfScores, workspace.packed.ahead_steps(keys, lanes, tile.cols))},
                workspace, worker);
  if (tile.bias != nullptr) add_bias(tile, block, keys, scratch, workspace.attention);
  const std::size_t pairs = (keys + 1) / 2;
  for (std::size_t lane = 0; lane < lanes; lane += kLanes)
    workspace.attention.softmax({.scores = scratch.scores + lane,
                                 .stride = lanes,
                                 .keys = keys,
                                 .begin = scratch.begin + lane,
                                 .end = scratch.end + lane,
                                 .probabilities = scratch.probabilities + lane * kProbabilityStride,
                                 .probability_stride = kProbabilityStride,
                                 .largest = result.largest + lane,
                                 .sum = result.sum + lane,
                                 .ahead = lane == 0 ? upcoming.take(kOfSoftmax, pairs) : Ahead{}});
  if (block.value_panels != nullptr)
    return mix(block.value_panels, {result.out, tile.count, block.value_cols, result.stride}, keys, scratch,
               workspace, worker);
  for (std::size_t col = 0; col < block.value_cols; col += kValueCols) {
    const std::size_t left = (block.value_cols - col + kValueCols - 1) / kValueCols;
    const std::size_t cols = std::min(kValueCols, block.value_cols - col);
    workspace.attention.interleave(block.value_rows + 2 * col, block.value_stride, keys, cols, scratch.values,
                                   ValuePanels::kPanelBytes,
                                   upcoming.take(1.0 / static_cast<double>(left), pairs));
    mix(scratch.values, {result.out + col, tile.count, cols, result.stride}, keys, scratch, workspace,
        worker);
  }
}

void MergedRows::begin() const {
  std::fill_n(largest, round_up(count, kLanes), kNothingSeen);
  std::fill_n(sum, round_up(count, kLanes), 0.0F);
  for (std::size_t row = 0; row < count; ++row) std::fill_n(rows[row], cols, 0.0F);
}

void MergedRows::add(const PartialRows& block, const AttentionKernels& kernels) const {
  for (std::size_t lane = 0; lane < count; lane += kLanes) {
    MergeFactors factors;
    kernels.merge_sums(largest + lane, sum + lane, block.largest + lane, block.sum + lane, factors);
    kernels.merge_rows(rows.data() + lane, std::min(kLanes, count - lane), cols,
                       block.out + lane * block.stride, block.stride, factors);
  }
}

void MergedRows::finish(const AttentionKernels& kernels) const {
  for (std::size_t row = 0; row < count; ++row) kernels.scale(rows[row], cols, 1.0F / sum[row]);
}

void write_bf16_row(std::span<const float> values, std::byte* to, const PackedKernels& kernels) {
  const std::size_t cols = round_up(values.size(), kColumnStep);
  std::memset(to + 2 * values.size(), 0, 2 * (cols - values.size()));
  kernels.to_bf16(values.data(), values.size(), reinterpret_cast<std::uint16_t*>(to));
}

std::size_t packed_cols(std::span<const HeadRows<const float>> parts) {
  std::size_t cols = 0;
  for (const HeadRows<const float>& part : parts) cols += round_up(part.cols, kColumnStep);
  return cols;
}

void pack_queries(const QueryTile& tile, std::span<const HeadRows<const float>> parts, float scale,
                  const AttentionKernels& kernels) {
  const std::size_t group = tile.rows.group;
  for (std::size_t lane = 0; lane < tile.count; lane += kLanes) {
    const std::size_t count = std::min(kLanes, tile.count - lane);
    std::byte* panel = tile.panel(lane / kLanes);
    for (const HeadRows<const float>& part : parts) {
      std::array<const float*, kLanes> rows{};
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t row = tile.row + lane + i;
        rows[i] = part.row(row / group, tile.head * group + row % group);
      }
      kernels.pack_rows(rows.data(), count, part.cols, scale * std::numbers::log2e_v<float>, panel);
      panel += round_up(part.cols, kColumnStep) * kLanes * 2;
    }
  }
}

namespace {

/// A problem cut into units: tiles of query rows of each key-value head.
class Flash {
 public:
  Flash(const FlashProblem& problem, Workspace& workspace)
      : problem_(problem),
        workspace_(workspace),
        kernels_(workspace.attention),
        rows_(problem.tokens * problem.rows.group),
        tiles_((rows_ + kTileRows - 1) / kTileRows),
        lanes_(round_up(std::min(rows_, kTileRows), kLanes)),
        cols_(packed_cols(problem.queries)) {}

  void run();

 private:
  std::size_t units() const { return problem_.heads * tiles_; }
  std::size_t head_of(std::size_t unit) const { return unit / tiles_; }
  QueryTile tile_of(std::size_t unit, std::byte* panels) const;
  MergedRows merged(std::size_t unit, float* largest, float* sum) const;
  BlockOfKeys keys_of(std::size_t block, std::size_t head) const;
  void run_units(std::size_t work) const;
  void run_unit(std::size_t unit, int worker) const;
  void run_blocks(std::size_t work) const;

  const FlashProblem& problem_;
  Workspace& workspace_;
  const AttentionKernels& kernels_;
  std::size_t rows_;
  std::size_t tiles_;
  std::size_t lanes_;  ///< Of the largest tile.
  std::size_t cols_;
};

QueryTile Flash::tile_of(std::size_t unit, std::byte* panels) const {
  const std::size_t row = unit % tiles_ * kTileRows;
  return {.rows = problem_.rows,
          .row = row,
          .count = std::min(kTileRows, rows_ - row),
          .cols = cols_,
          .panels = panels,
          .head = head_of(unit),
          .bias = problem_.bias.empty() ? nullptr : &problem_.bias};
}

MergedRows Flash::merged(std::size_t unit, float* largest, float* sum) const {
  const QueryTile tile = tile_of(unit, nullptr);
  const std::size_t group = problem_.rows.group;
  MergedRows rows{.largest = largest, .sum = sum, .count = tile.count, .cols = problem_.out.cols};
  for (std::size_t i = 0; i < tile.count; ++i)
    rows.rows[i] = problem_.out.row((tile.row + i) / group, head_of(unit) * group + (tile.row + i) % group);
  return rows;
}

BlockOfKeys Flash::keys_of(std::size_t block, std::size_t head) const {
  const std::size_t first = block * kKeyBlock;
  const std::size_t count = std::min(kKeyBlock, problem_.keys.tokens - first);
  return {.first = first,
          .keys = problem_.keys.rows(head, first, count, cols_),
          .value_rows = problem_.values.row(head, first),
          .value_stride = problem_.values.stride,
          .value_cols = problem_.out.cols,
          .chosen = problem_.chosen.empty() ? problem_.chosen : problem_.chosen.subspan(first, count)};
}

void Flash::run() {
  const std::size_t blocks = (problem_.keys.tokens + kKeyBlock - 1) / kKeyBlock;
  const auto threads = static_cast<std::size_t>(workspace_.pool.size());
  const std::size_t work = problem_.heads * rows_ * problem_.keys.tokens * (cols_ + problem_.out.cols);
  if (threads == 1 || blocks == 1 || units() >= 4 * threads)
    run_units(work);
  else
    run_blocks(work);
}

void Flash::run_units(std::size_t work) const {
  // The last tiles see the most: they come first.
  for_items(workspace_, units(), work,
            [&](std::size_t item, int worker) { run_unit(units() - 1 - item, worker); });
}

/// What run_unit takes from a worker's scratch.
struct UnitMemory {
  std::byte* queries;
  float* largest;
  float* sum;
  FlashScratch scratch;

  UnitMemory(Carver& memory, std::size_t lanes, std::size_t cols, std::size_t value_cols)
      : queries(memory.take<std::byte>(lanes * cols * 2)),
        largest(memory.take<float>(lanes)),
        sum(memory.take<float>(lanes)),
        scratch(memory, lanes, value_cols) {}
};

void Flash::run_unit(std::size_t unit, int worker) const {
  const auto memory = worker_memory<UnitMemory>(workspace_, worker, lanes_, cols_, problem_.out.cols);
  const QueryTile tile = tile_of(unit, memory.queries);
  pack_queries(tile, problem_.queries, problem_.scale, kernels_);
  const MergedRows rows = merged(unit, memory.largest, memory.sum);
  rows.begin();
  for (std::size_t block = tile.keys_begin() / kKeyBlock; block * kKeyBlock < tile.keys_end(); ++block) {
    const bool last = (block + 1) * kKeyBlock >= tile.keys_end();
    const BlockOfKeys next = last ? BlockOfKeys{} : keys_of(block + 1, head_of(unit));
    attend_block(tile, keys_of(block, head_of(unit)), next, memory.scratch, memory.scratch.partial,
                 workspace_, worker);
    rows.add(memory.scratch.partial, kernels_);
  }
  rows.finish(kernels_);
}

/// Blocks first to before `last` of all units, computed at once and then merged in their order.
struct Round {
  std::size_t first;
  std::size_t last;
  bool ends;  ///< It is the last one.
};

/// What the units' blocks are merged from and into, where the keys of a unit are shared out.
struct SharedMemory {
  std::size_t lanes;
  std::size_t value_cols;
  std::size_t units;
  std::size_t slot_bytes;
  std::byte* queries;
  float* largest;
  float* sum;
  std::byte* slots;

  static constexpr std::size_t kSlots = 64;
  std::size_t blocks_at_once() const { return std::max<std::size_t>(1, kSlots / units); }

  SharedMemory(Arena& arena, std::size_t unit_count, std::size_t most_lanes, std::size_t cols,
               std::size_t values)
      : lanes(most_lanes), value_cols(values), units(unit_count) {
    Carver one(nullptr);
    PartialRows(one, lanes, value_cols);
    slot_bytes = one.used();
    queries = arena.bytes(units * lanes * cols * 2);
    largest = arena.matrix(units, lanes).data;
    sum = arena.matrix(units, lanes).data;
    slots = arena.bytes(blocks_at_once() * units * slot_bytes);
  }
  PartialRows slot(std::size_t block, std::size_t unit) const {
    Carver memory(slots + (block * units + unit) * slot_bytes);
    return {memory, lanes, value_cols};
  }
};

bool sees(const QueryTile& tile, std::size_t block) {
  return block >= tile.keys_begin() / kKeyBlock && block * kKeyBlock < tile.keys_end();
}

/// Merges a round's blocks into columns [col, col + cols) of a unit, for which `rows` has the sums.
void merge_round(const Round& round, const QueryTile& tile, std::size_t unit, const SharedMemory& memory,
                 std::size_t col, std::size_t cols, MergedRows rows, const AttentionKernels& kernels) {
  rows.cols = cols;
  for (std::size_t i = 0; i < rows.count; ++i) rows.rows[i] += col;
  for (std::size_t block = round.first; block < round.last; ++block) {
    if (!sees(tile, block)) continue;
    PartialRows partial = memory.slot(block - round.first, unit);
    partial.out += col;
    rows.add(partial, kernels);
  }
  if (round.ends) rows.finish(kernels);
}

void Flash::run_blocks(std::size_t work) const {
  constexpr std::size_t kMergedCols = 64;
  const Arena::Scope scope(workspace_.arena);
  const std::size_t cols = problem_.out.cols;
  const SharedMemory memory(workspace_.arena, units(), lanes_, cols_, cols);
  const auto tile = [&](std::size_t unit) {
    return tile_of(unit, memory.queries + unit * lanes_ * cols_ * 2);
  };
  const auto rows_of = [&](std::size_t unit) {
    return merged(unit, memory.largest + unit * lanes_, memory.sum + unit * lanes_);
  };
  for_items(workspace_, units(), 4 * problem_.heads * rows_ * cols_, [&](std::size_t unit, int) {
    pack_queries(tile(unit), problem_.queries, problem_.scale, kernels_);
    rows_of(unit).begin();
  });
  const std::size_t blocks = (problem_.keys.tokens + kKeyBlock - 1) / kKeyBlock;
  Round round{.first = problem_.rows.begin(0) / kKeyBlock, .last = 0, .ends = false};
  for (; round.first < blocks; round.first = round.last) {
    round.last = std::min(blocks, round.first + memory.blocks_at_once());
    round.ends = round.last == blocks;
    const std::size_t items = (round.last - round.first) * units();
    const auto keys_of_item = [&](std::size_t item) {
      return item < items ? keys_of(round.first + item / units(), head_of(item % units())) : BlockOfKeys{};
    };
    const auto threads = static_cast<std::size_t>(workspace_.pool.size());
    for_items(workspace_, items, work, [&](std::size_t item, int worker) {
      const std::size_t unit = item % units();
      const std::size_t block = round.first + item / units();
      if (!sees(tile(unit), block)) return;
      const auto scratch = worker_memory<FlashScratch>(workspace_, worker, lanes_, cols);
      // Mostly the threads take items in turn.
      attend_block(tile(unit), keys_of_item(item), keys_of_item(item + threads), scratch,
                   memory.slot(block - round.first, unit), workspace_, worker);
    });
    const std::size_t parts = (cols + kMergedCols - 1) / kMergedCols;
    for_items(workspace_, units() * parts, units() * lanes_ * cols * (round.last - round.first),
              [&](std::size_t item, int) {
                const std::size_t unit = item / parts;
                const std::size_t col = item % parts * kMergedCols;
                std::array<float, kTileRows> largest, sum;
                MergedRows rows = rows_of(unit);
                std::copy_n(rows.largest, lanes_, largest.begin());
                std::copy_n(rows.sum, lanes_, sum.begin());
                rows.largest = largest.data();
                rows.sum = sum.data();
                merge_round(round, tile(unit), unit, memory, col, std::min(kMergedCols, cols - col), rows,
                            kernels_);
              });
    for (std::size_t unit = 0; unit < units() && !round.ends; ++unit)
      merge_round(round, tile(unit), unit, memory, 0, 0, rows_of(unit), kernels_);
  }
}

}  // namespace

void flash_attention(const FlashProblem& problem, Workspace& workspace) {
  Flash(problem, workspace).run();
}

}  // namespace mla
