// Feed-forward blocks: SwiGLU (Shazeer 2020), down(silu(gate x) * up x).
#pragma once

#include <span>
#include <utility>

#include "nn/linear.h"
#include "nn/workspace.h"
#include "tensor/matrix.h"

namespace mla {

/// Const after loading and shared.
class FeedForward {
 public:
  virtual ~FeedForward() = default;

  /// x and out [rows, hidden_size]; they do not overlap.
  virtual void forward(ConstMatrix x, Workspace& workspace, Matrix out) const = 0;

  /// Hands out all matrices there are.
  virtual void visit_linears(const LinearVisitor& visit) = 0;
};

struct SwiGlu {
  Linear gate_proj;
  Linear up_proj;
  Linear down_proj;

  std::size_t intermediate_size() const { return gate_proj.out_features(); }
  /// Of gate and up, which are computed together, the one whose tiles both can be cut into: if one is not packed, its.
  const Linear& less_packed() const { return gate_proj.is_packed() ? up_proj : gate_proj; }
};

/// One expert and the rows it is to work on, in the forms that its gate and up need.
struct SwiGluJob {
  const SwiGlu* expert;
  LinearInput x;
  Matrix out;
};

void add_forms(LinearInput& x, const SwiGlu& expert, Workspace& workspace);
void visit_linears(SwiGlu& expert, const LinearVisitor& visit);

/// Runs all jobs in two parallel loops (gate and up, then down) over the tiles of all of them together.
void run_swiglu(std::span<const SwiGluJob> jobs, Workspace& workspace);

/// The dense block.
class Mlp final : public FeedForward {
 public:
  explicit Mlp(SwiGlu weights) : weights_(std::move(weights)) {}
  void forward(ConstMatrix x, Workspace& workspace, Matrix out) const override;
  void visit_linears(const LinearVisitor& visit) override;

 private:
  SwiGlu weights_;
};

}  // namespace mla
