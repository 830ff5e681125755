#include "nn/feed_forward.h"

namespace mla {
namespace {

struct GateAndUp {
  Matrix gate;
  Matrix up;
};

struct TileOfJob {
  std::size_t job;
  std::size_t tile;
};

/// The tiles of one projection of all jobs, in one list.
template <typename Projection>
std::span<const TileOfJob> list_tiles(std::span<const SwiGluJob> jobs, Projection projection, Arena& arena) {
  std::size_t count = 0;
  for (const SwiGluJob& job : jobs) count += (job.expert->*projection).tiles();
  const std::span<TileOfJob> tiles = arena.list<TileOfJob>(count);
  TileOfJob* next = tiles.data();
  for (std::size_t job = 0; job < jobs.size(); ++job)
    for (std::size_t tile = 0; tile < (jobs[job].expert->*projection).tiles(); ++tile) *next++ = {job, tile};
  return tiles;
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

  const std::span<const TileOfJob> wide = list_tiles(jobs, &SwiGlu::gate_proj, workspace.arena);
  for_items(workspace, wide.size(), 2 * multiplications, [&](std::size_t item, int worker) {
    const SwiGluJob& job = jobs[wide[item].job];
    const auto& [gate, up] = activations[wide[item].job];
    job.expert->gate_proj.compute_tile(job.x, wide[item].tile, gate, workspace, worker);
    job.expert->up_proj.compute_tile(job.x, wide[item].tile, up, workspace, worker);
    const auto [first, count] = job.expert->gate_proj.tile_extent(wide[item].tile);
    for (std::size_t row = 0; row < job.x.rows(); ++row)
      workspace.kernels.silu_multiply(gate.row(row) + first, up.row(row) + first, gate.row(row) + first,
                                      count);
  });

  const std::span<LinearInput> hidden = workspace.arena.list<LinearInput>(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    hidden[i] = activations[i].gate;
    add_form(hidden[i], jobs[i].expert->down_proj, workspace);
  }
  const std::span<const TileOfJob> narrow = list_tiles(jobs, &SwiGlu::down_proj, workspace.arena);
  for_items(workspace, narrow.size(), multiplications, [&](std::size_t item, int worker) {
    const SwiGluJob& job = jobs[narrow[item].job];
    job.expert->down_proj.compute_tile(hidden[narrow[item].job], narrow[item].tile, job.out, workspace,
                                       worker);
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
