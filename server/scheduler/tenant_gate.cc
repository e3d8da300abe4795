#include "server/scheduler/tenant_gate.h"

#include <tuple>

namespace bitwright::server {

bool TenantGate::Rank::operator<(const Rank& other) const {
  return std::tie(minus_priority, create_time, name) < std::tie(other.minus_priority, other.create_time, other.name);
}

int64_t TenantGate::Limits::Of(const std::string& tenant) const {
  const auto it = own.find(tenant);
  return it == own.end() ? others : it->second;
}

void TenantGate::Limit(const std::string& tenant, int64_t running_jobs) {
  limits_.own[tenant] = running_jobs;
  Settle(tenant);
}

const TenantGate::Entry* TenantGate::Find(const std::string& job) const {
  const auto it = entries_.find(job);
  return it == entries_.end() ? nullptr : &it->second;
}

void TenantGate::Move(Entry& entry, Stand stand) {
  Line& line = lines_[entry.tenant];
  held_ -= line.held.erase(entry.rank);
  line.inside.erase(entry.rank);
  line.begun -= entry.stand == Stand::kBegun ? 1 : 0;
  entry.stand = stand;
  if (stand == Stand::kHeld) line.held.insert(entry.rank), ++held_;
  if (stand == Stand::kInside) line.inside.insert(entry.rank);
  line.begun += stand == Stand::kBegun ? 1 : 0;
}

void TenantGate::Put(const Job& job, Stand stand) {
  const auto [it, added] = entries_.try_emplace(job.name);
  Entry& entry = it->second;
  if (added) {
    entry.tenant = job.tenant;
    entry.rank = {-job.priority, job.create_time, job.name};
    Line& line = lines_[job.tenant];
    line.held.insert(entry.rank);
    ++held_;
  }
  Move(entry, stand);
}

void TenantGate::Erase(const std::string& job) {
  const auto it = entries_.find(job);
  if (it == entries_.end()) return;
  const std::string tenant = it->second.tenant;
  Move(it->second, Stand::kInside);
  Line& line = lines_[tenant];
  line.inside.erase(it->second.rank);
  entries_.erase(it);
  Settle(tenant);
}

void TenantGate::Settle(const std::string& tenant) {
  const auto it = lines_.find(tenant);
  if (it == lines_.end()) return;
  Line& line = it->second;
  const int64_t limit = LimitOf(tenant);
  const auto count = [&] { return line.begun + static_cast<int64_t>(line.inside.size()); };
  while (!line.held.empty() && (limit == 0 || count() < limit)) {
    const std::string name = line.held.begin()->name;
    Move(entries_.at(name), Stand::kInside);
    moves_.let_in.push_back(name);
  }
  while (!line.inside.empty() && limit != 0 && count() > limit) {
    const std::string name = line.inside.rbegin()->name;
    Move(entries_.at(name), Stand::kHeld);
    moves_.put_back.push_back(name);
  }
  if (count() == 0 && line.held.empty()) lines_.erase(it);
}

bool TenantGate::Enter(const Job& job) {
  if (const Entry* entry = Find(job.name)) return entry->stand != Stand::kHeld;
  const int64_t limit = LimitOf(job.tenant);
  const Rank rank{-job.priority, job.create_time, job.name};
  const Line& line = lines_[job.tenant];
  const bool room = limit == 0 || line.begun + static_cast<int64_t>(line.inside.size()) < limit;
  const bool goes_before = !line.inside.empty() && rank < *line.inside.rbegin();
  Put(job, room || goes_before ? Stand::kInside : Stand::kHeld);
  if (!room) Settle(job.tenant);
  return room || goes_before;
}

void TenantGate::Begin(const Job& job) { Put(job, Stand::kBegun); }

void TenantGate::Yield(const std::string& job) {
  const Entry* entry = Find(job);
  if (entry != nullptr && entry->stand != Stand::kBegun) Erase(job);
}

void TenantGate::Leave(const std::string& job) { Erase(job); }

bool TenantGate::Holds(const std::string& job) const {
  const Entry* entry = Find(job);
  return entry != nullptr && entry->stand == Stand::kHeld;
}

bool TenantGate::IsBegun(const std::string& job) const {
  const Entry* entry = Find(job);
  return entry != nullptr && entry->stand == Stand::kBegun;
}

int64_t TenantGate::BegunOf(const std::string& tenant) const {
  const auto it = lines_.find(tenant);
  return it == lines_.end() ? 0 : it->second.begun;
}

}  // namespace bitwright::server
