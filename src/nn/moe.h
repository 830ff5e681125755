// Mixture of experts with shared experts (DeepSeek-AI 2024, DeepSeekMoE): every token goes to top_k routed
// experts, weighted by the router, and to the shared one, which is a single MLP of n_shared_experts *
// moe_intermediate_size. Some of the routed experts may be zero experts, which compute nothing and give back what
// they see (Meituan 2025, LongCat-Flash, section 2.1).
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "nn/feed_forward.h"
#include "nn/router.h"

namespace mla {

class Moe final : public FeedForward {
 public:
  /// `gate` maps hidden_size to n_routed_experts. Of these the last are zero experts, as many as `experts` has
  /// fewer.
  Moe(Linear gate, Router router, std::vector<SwiGlu> experts, std::optional<SwiGlu> shared)
      : gate_(std::move(gate)),
        router_(std::move(router)),
        experts_(std::move(experts)),
        shared_(std::move(shared)) {}

  void forward(ConstMatrix x, Workspace& workspace, Matrix out) const override;
  void visit_linears(const LinearVisitor& visit) override;

 private:
  Linear gate_;
  Router router_;
  std::vector<SwiGlu> experts_;
  std::optional<SwiGlu> shared_;
};

}  // namespace mla
