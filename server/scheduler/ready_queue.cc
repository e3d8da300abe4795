#include "server/scheduler/ready_queue.h"

#include <tuple>
#include <utility>

#include "proto/contract/code_version.h"

namespace bitwright::server {
namespace {

double TurnOf(const TenantTurns& turns, const std::string& tenant) {
  const auto it = turns.find(tenant);
  return it == turns.end() ? 0 : it->second;
}

// What failed on this worker, and another one of its kind could run.
bool IsLeftToPeer(const Execution& execution, const AskingWorker& worker) {
  return !execution.failed_on.empty() && execution.failed_on == worker.name && worker.peer &&
         execution.needs.MemoryFits(*worker.peer);
}

}  // namespace

bool ReadyQueue::Rank::operator<(const Rank& other) const {
  return std::tie(owner_create_time, minus_cost, task) <
         std::tie(other.owner_create_time, other.minus_cost, other.task);
}

ReadyQueue::Kind ReadyQueue::KindOf(const Execution& execution) {
  return {execution.needs.compute_class, execution.needs.code_version, execution.needs.small};
}

ReadyQueue::Rank ReadyQueue::RankOf(const Execution& execution) {
  return {execution.owner_create_time, -execution.cost_flops, execution.task};
}

void ReadyQueue::Add(Execution execution) {
  Remove(execution.task);
  kinds_[KindOf(execution)][execution.priority][execution.tenant].insert(RankOf(execution));
  if (!execution.failed_on.empty()) failed_on_.insert(execution.failed_on);
  const std::string task = execution.task;
  tasks_.emplace(task, std::move(execution));
}

std::optional<Execution> ReadyQueue::Remove(const std::string& task) {
  auto node = tasks_.extract(task);
  if (!node) return std::nullopt;
  Execution& execution = node.mapped();
  const auto kind = kinds_.find(KindOf(execution));
  const auto level = kind->second.find(execution.priority);
  const auto line = level->second.find(execution.tenant);
  line->second.erase(RankOf(execution));
  if (line->second.empty()) level->second.erase(line);
  if (level->second.empty()) kind->second.erase(level);
  if (kind->second.empty()) kinds_.erase(kind);
  if (const auto failed = failed_on_.find(execution.failed_on); failed != failed_on_.end()) failed_on_.erase(failed);
  return std::move(execution);
}

const Execution* ReadyQueue::Find(const std::string& task) const {
  const auto it = tasks_.find(task);
  return it == tasks_.end() ? nullptr : &it->second;
}

bool ReadyQueue::MayRun(const Kind& kind, const AskingWorker& worker) {
  if (worker.small_only && !kind.small) return false;
  if (!kind.code_version.empty() && !RunsCode(worker.code_version, kind.code_version)) return false;
  return kind.compute_class.empty() || kind.compute_class == worker.compute_class;
}

const Execution* ReadyQueue::FirstFitting(const Line& line, const AskingWorker& worker) const {
  for (const Rank& rank : line) {
    const Execution& execution = tasks_.at(rank.task);
    if (IsLeftToPeer(execution, worker)) continue;
    if (execution.needs.MemoryFits(worker.room())) return &execution;
  }
  return nullptr;
}

const Execution* ReadyQueue::BestOf(const Level& level, const AskingWorker& worker, const TenantTurns& turns,
                                    const Execution* best) const {
  const auto sooner = [&](const Execution& a, const Execution& b) {
    const double a_turn = TurnOf(turns, a.tenant);
    const double b_turn = TurnOf(turns, b.tenant);
    return a_turn != b_turn ? a_turn < b_turn : RankOf(a) < RankOf(b);
  };
  for (const auto& [tenant, line] : level) {
    const Execution* first = FirstFitting(line, worker);
    if (first != nullptr && (best == nullptr || sooner(*first, *best))) best = first;
  }
  return best;
}

const Execution* ReadyQueue::Pick(const AskingWorker& worker, const TenantTurns& turns) const {
  const Execution* best = nullptr;
  for (const auto& [kind, levels] : kinds_) {
    if (!MayRun(kind, worker)) continue;
    for (const auto& [priority, level] : levels) {
      if (best != nullptr && priority < best->priority) break;
      const Execution* same = best != nullptr && priority == best->priority ? best : nullptr;
      const Execution* found = BestOf(level, worker, turns, same);
      if (found == nullptr) continue;
      best = found;
      break;
    }
  }
  return best;
}

}  // namespace bitwright::server
