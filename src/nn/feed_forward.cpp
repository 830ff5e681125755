#include "nn/feed_forward.h"

#include <functional>

namespace mla {
namespace {

struct GateAndUp {
  Matrix gate;
  Matrix up;
};

/// The tiles of one projection of all jobs; `projection` is a member of SwiGlu or a function of it.
template <typename Projection>
std::span<const LinearPart> tiles_of(std::span<const SwiGluJob> jobs, Projection projection,
                                     Workspace& workspace) {
  return list_tiles(
      jobs.size(),
      [&](std::size_t job) -> const Linear& { return std::invoke(projection, *jobs[job].expert); },
      [&](std::size_t job) { return jobs[job].x.rows(); }, workspace);
}

}  // namespace

void add_forms(LinearInput& x, const SwiGlu& expert, Workspace& workspace) {
  add_form(x, expert.gate_proj, workspace);
  add_form(x, expert.up_proj, workspace);
}

void visit_linears(SwiGlu& expert, const LinearVisitor& visit) {
  visit(expert.gate_proj, LinearRole::plain);
  visit(expert.up_proj, LinearRole::plain);
  visit(expert.down_proj, LinearRole::plain);
}

void run_swiglu(std::span<const SwiGluJob> jobs, Workspace& workspace) {
  const Arena::Scope scope(workspace.arena);
  const std::span<GateAndUp> activations = workspace.arena.list<GateAndUp>(jobs.size());
  std::size_t multiplications = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const SwiGluJob& job = jobs[i];
    const std::size_t width = job.expert->intermediate_size();
    activations[i] = {workspace.arena.matrix(job.x.rows(), width),
                      workspace.arena.matrix(job.x.rows(), width)};
    multiplications += job.x.rows() * job.x.cols() * width;
  }

  const std::span<const LinearPart> wide = tiles_of(jobs, &SwiGlu::less_packed, workspace);
  for_items(workspace, wide.size(), 2 * multiplications, [&](std::size_t item, int worker) {
    const auto [index, first, count] = wide[item];
    const SwiGluJob& job = jobs[index];
    const auto& [gate, up] = activations[index];
    job.expert->gate_proj.compute(job.x, first, count, gate, workspace, worker);
    job.expert->up_proj.compute(job.x, first, count, up, workspace, worker);
    for (std::size_t row = 0; row < job.x.rows(); ++row)
      workspace.kernels.silu_multiply(gate.row(row) + first, up.row(row) + first, gate.row(row) + first,
                                      count);
  });

  const std::span<LinearInput> hidden = workspace.arena.list<LinearInput>(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    hidden[i] = activations[i].gate;
    add_form(hidden[i], jobs[i].expert->down_proj, workspace);
  }
  const std::span<const LinearPart> narrow = tiles_of(jobs, &SwiGlu::down_proj, workspace);
  for_items(workspace, narrow.size(), multiplications, [&](std::size_t item, int worker) {
    const auto [job, first, count] = narrow[item];
    jobs[job].expert->down_proj.compute(hidden[job], first, count, jobs[job].out, workspace, worker);
  });
}

void Mlp::forward(ConstMatrix x, Workspace& workspace, Matrix out) const {
  const Arena::Scope scope(workspace.arena);
  SwiGluJob job{&weights_, x, out};
  add_forms(job.x, weights_, workspace);
  run_swiglu({&job, 1}, workspace);
}

void Mlp::visit_linears(const LinearVisitor& visit) {
  mla::visit_linears(weights_, visit);
}

}  // namespace mla
