#include "server/scheduler/restraints.h"

namespace bitwright::server {

Restraints::Process Restraints::ProcessOf(const Fleet::Member& member) {
  const int process_id = member.capacity.process_id();
  return {process_id > 0 ? member.capacity.host() : member.name, process_id};
}

v1::Worker::State Restraints::StateOf(const Fleet::Member& member) const {
  const auto it = by_process_.find(ProcessOf(member));
  return it == by_process_.end() || it->second.state == v1::Worker::DRAINED ? v1::Worker::ACTIVE : it->second.state;
}

void Restraints::Set(const Fleet::Member& member, v1::Worker::State state) {
  by_process_[ProcessOf(member)] = {.state = state, .member = member};
}

void Restraints::Lift(const Fleet::Member& member) { by_process_.erase(ProcessOf(member)); }

void Restraints::Left(const Fleet::Member& member) {
  const auto it = by_process_.find(ProcessOf(member));
  if (it == by_process_.end()) return;
  if (it->second.state == v1::Worker::CORDONED) {
    by_process_.erase(it);
    return;
  }
  it->second.state = v1::Worker::DRAINED;
  it->second.member = member;
  it->second.member.state = v1::Worker::DRAINED;
  it->second.member.running.clear();
}

void Restraints::Ended(const std::string& host, int process_id) {
  const auto it = by_process_.find({host, process_id});
  if (it == by_process_.end()) return;
  const Fleet::Member member = it->second.member;
  Left(member);
  const auto left = by_process_.find({host, process_id});
  if (left != by_process_.end()) left->second.kept = true;
}

bool Restraints::IsKept(const std::string& host, int process_id) const {
  const auto it = by_process_.find({host, process_id});
  return it != by_process_.end() && it->second.kept;
}

const Fleet::Member* Restraints::FindDrained(const std::string& name) const {
  for (const Fleet::Member* member : Drained()) {
    if (member->name == name) return member;
  }
  return nullptr;
}

std::vector<const Fleet::Member*> Restraints::Drained() const {
  std::vector<const Fleet::Member*> drained;
  for (const auto& [process, restraint] : by_process_) {
    if (restraint.state == v1::Worker::DRAINED) drained.push_back(&restraint.member);
  }
  return drained;
}

void Restraints::ForgetLeft(MonotonicTime cutoff) {
  std::erase_if(by_process_, [&](const auto& entry) {
    const Restraint& restraint = entry.second;
    return restraint.state == v1::Worker::DRAINED && !restraint.kept && restraint.member.seen < cutoff;
  });
}

}  // namespace bitwright::server
