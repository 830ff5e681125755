// Working memory for encoding. It is costly to make and holds the cache of words, so calls lend it to each
// other.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "tokenizer/bpe.h"
#include "tokenizer/regex.h"

namespace mla {

struct EncodeScratch {
  RegexScratch regex;
  BpeScratch bpe;
};

class ScratchPool {
 public:
  /// A scratch for one call, given back when the lease ends.
  class Lease {
   public:
    explicit Lease(ScratchPool& pool) : pool_(pool), scratch_(pool.take()) {}
    ~Lease() { pool_.give(std::move(scratch_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    EncodeScratch& operator*() const { return *scratch_; }

   private:
    ScratchPool& pool_;
    std::unique_ptr<EncodeScratch> scratch_;
  };

 private:
  // So many calls at once keep their memory; what more calls needed is freed after them.
  static constexpr std::size_t kKept = 16;

  std::unique_ptr<EncodeScratch> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<EncodeScratch>();
    std::unique_ptr<EncodeScratch> scratch = std::move(free_.back());
    free_.pop_back();
    return scratch;
  }

  void give(std::unique_ptr<EncodeScratch> scratch) noexcept {
    const std::lock_guard lock(mutex_);
    if (free_.size() < kKept) free_.push_back(std::move(scratch));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<EncodeScratch>> free_ = [] {
    std::vector<std::unique_ptr<EncodeScratch>> slots;
    slots.reserve(kKept);
    return slots;
  }();
};

}  // namespace mla
