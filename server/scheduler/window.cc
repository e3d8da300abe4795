#include "server/scheduler/window.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "server/scheduler/core.h"
#include "server/scheduler/loading.h"

namespace bitwright::server {
namespace {

// Those that wait for what is not there are not counted, but they do not fill the memory either.
constexpr int kMostTimesTheWindow = 4;
// Of a tenant with a limit of running jobs, as many wait inside as may begin when all that run have ended, and again;
// no more than this part of the window.
constexpr int kTimesTheLimit = 2;
constexpr int kPartOfWindow = 4;

struct Next {
  std::string name;
  std::string tenant;
  int priority = 0;
};

struct QueueRead {
  absl::Status status;
  std::vector<std::string> models;
  std::vector<Next> jobs;      // in the order in which they are to be taken
  bool all_models = false;     // there are no others
  bool all_jobs = false;       // likewise, beside those of tenants with a bound of their own
  std::set<std::string> more;  // of these
};

// The first of each line, then the second of each, and so on, so that none fills what there is room for.
template <typename T>
std::vector<T> ByTurns(const std::vector<std::vector<T>>& lines) {
  std::vector<T> all;
  size_t longest = 0;
  for (const std::vector<T>& line : lines) longest = std::max(longest, line.size());
  for (size_t i = 0; i < longest; ++i) {
    for (const std::vector<T>& line : lines) {
      if (i < line.size()) all.push_back(line[i]);
    }
  }
  return all;
}

absl::Status ReadModels(Snapshot& snapshot, int limit, QueueRead& read) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> tenants, snapshot.TenantsInspecting());
  std::vector<std::vector<std::string>> lines;
  read.all_models = true;
  for (const std::string& tenant : tenants) {
    ABSL_ASSIGN_OR_RETURN(std::vector<std::string> line, snapshot.UnfinishedModels(tenant, limit));
    read.all_models &= static_cast<int>(line.size()) < limit;
    lines.push_back(std::move(line));
  }
  read.models = ByTurns(lines);
  return absl::OkStatus();
}

// `most_of`: how many may wait inside, by tenant.
absl::Status ReadJobs(Snapshot& snapshot, int limit, const std::function<size_t(const std::string&)>& most_of,
                      QueueRead& read) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> tenants, snapshot.TenantsWith(v1::Job::QUEUED));
  std::vector<std::vector<Next>> lines;
  read.all_jobs = true;
  for (const std::string& tenant : tenants) {
    const bool bounded = most_of(tenant) < static_cast<size_t>(limit);
    const int most = bounded ? static_cast<int>(most_of(tenant)) : limit;
    ABSL_ASSIGN_OR_RETURN(const std::vector<QueuedJob> queue, snapshot.Queue(v1::Job::QUEUED, tenant, most));
    const bool all = static_cast<int>(queue.size()) < most;
    if (bounded && !all) read.more.insert(tenant);
    read.all_jobs &= all || bounded;
    std::vector<Next>& line = lines.emplace_back();
    for (const QueuedJob& job : queue) line.push_back({job.name, tenant, job.priority});
  }
  read.jobs = ByTurns(lines);
  std::stable_sort(read.jobs.begin(), read.jobs.end(),
                   [](const Next& a, const Next& b) { return a.priority > b.priority; });
  return absl::OkStatus();
}

QueueRead ReadQueue(Store& store, int limit, const std::function<size_t(const std::string&)>& most_of) {
  QueueRead read;
  read.status = store.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_RETURN_IF_ERROR(ReadModels(snapshot, limit, read));
    return ReadJobs(snapshot, limit, most_of, read);
  });
  return read;
}

size_t Most(int64_t running_jobs, int window) {
  if (running_jobs == 0) return std::numeric_limits<size_t>::max();
  return std::max<int64_t>(1, std::min<int64_t>(kTimesTheLimit * running_jobs, window / kPartOfWindow));
}

}  // namespace

bool Window::Rank::operator<(const Rank& other) const {
  return std::tie(priority, other.create_time, name) < std::tie(other.priority, create_time, other.name);
}

size_t Window::Room(const Core& core) const {
  const auto bound = static_cast<size_t>(core.options.window);
  const size_t inside = waiting_.size() + loading_.size();
  if (inside >= kMostTimesTheWindow * bound) return 0;
  const size_t counted = inside - std::min(inside, aside_ + core.gate.held());
  return counted >= bound ? 0 : bound - counted;
}

size_t Window::Inside(const std::string& tenant) const {
  const auto line = by_tenant_.find(tenant);
  const auto loading = loading_of_.find(tenant);
  return (line == by_tenant_.end() ? 0 : line->second.size()) + (loading == loading_of_.end() ? 0 : loading->second);
}

size_t Window::MostOf(const Core& core, const std::string& tenant) {
  return Most(core.gate.LimitOf(tenant), core.options.window);
}

const Window::Rank* Window::FirstToGo(Core& core, const std::set<Rank>& line) const {
  for (const Rank& rank : line) {
    const Owner* owner = core.board.FindOwner(rank.name);
    if (owner != nullptr && !owner->planning && owner->Untouched()) return &rank;
  }
  return nullptr;
}

void Window::MakeRoom(Core& core, const std::string& tenant, int priority, bool own_alone) {
  const Rank* last = nullptr;
  size_t most = 0;
  for (const auto& [other, line] : by_tenant_) {
    if (own_alone && other != tenant) continue;
    const Rank* rank = FirstToGo(core, line);
    if (rank == nullptr || rank->priority > priority) continue;
    if (rank->priority == priority && Inside(other) <= Inside(tenant) + 1) continue;
    const size_t inside = Inside(other);
    const bool goes_sooner =
        last == nullptr || rank->priority < last->priority || (rank->priority == last->priority && inside > most);
    if (!goes_sooner) continue;
    last = rank;
    most = inside;
  }
  if (last == nullptr) return;
  Forget(core, *core.board.FindOwner(last->name));
  more_jobs_ = true;
}

void Window::Loads(const std::string& name, bool loads, const std::string& tenant) {
  if (loads) {
    loading_[name] = tenant;
    if (!tenant.empty()) ++loading_of_[tenant];
    return;
  }
  const auto it = loading_.find(name);
  if (it == loading_.end()) return;
  if (const auto of = loading_of_.find(it->second); of != loading_of_.end() && --of->second == 0) loading_of_.erase(of);
  loading_.erase(it);
}

void Window::Take(Core& core, const std::string& name, const std::string& tenant) {
  if (core.board.FindOwner(name) != nullptr || loading_.contains(name)) return;
  Loads(name, true, tenant);
  Load(core, name, nullptr);
}

void Window::OnArrived(Core& core, const std::string& name, const std::string& tenant, int priority) {
  if (core.board.FindOwner(name) != nullptr || loading_.contains(name)) return;
  if (ParseResourceName(name, Collection::kModels).ok()) {
    if (core.board.models() < core.options.window) return Take(core, name, "");
    more_models_ = true;
    return;
  }
  if (!TakesMore(core, tenant)) {
    sated_.insert(tenant);
    MakeRoom(core, tenant, priority, true);
  } else if (Room(core) == 0) {
    MakeRoom(core, tenant, priority, false);
  }
  if (TakesMore(core, tenant) && Room(core) > 0) return Take(core, name, tenant);
  if (TakesMore(core, tenant)) more_jobs_ = true;
}

void Window::OnLeftQueue(const std::string& name) {
  const auto it = waiting_.find(name);
  if (it == waiting_.end()) return;
  const std::string tenant = it->second.tenant;
  std::set<Rank>& line = by_tenant_[tenant];
  line.erase(it->second.rank);
  if (line.empty()) by_tenant_.erase(tenant);
  waiting_.erase(it);
  if (sated_.erase(tenant) > 0) more_jobs_ = true;
}

void Window::OnBegun(Core& core, const std::string& name) {
  OnLeftQueue(name);
  // Many workers would empty it between two ticks.
  if (2 * Room(core) > static_cast<size_t>(core.options.window)) Fill(core);
}

void Window::OnLoaded(const Owner& owner) {
  Loads(owner.name, false);
  const JobWork* job = owner.job();
  if (job == nullptr || job->job.state() != v1::Job::QUEUED) return;
  const Rank rank{owner.priority(), owner.create_time(), owner.name};
  waiting_[owner.name] = {owner.tenant(), rank};
  by_tenant_[owner.tenant()].insert(rank);
}

void Window::Fill(Core& core) {
  const bool models = more_models_ && core.board.models() < core.options.window;
  const bool jobs = more_jobs_ && Room(core) > 0;
  if (reading_ || (!models && !jobs)) return;
  reading_ = true;
  // As many as are here already come first.
  const int limit = static_cast<int>(waiting_.size() + loading_.size() + core.board.models()) + core.options.window;
  Outside<QueueRead>(
      core,
      [&store = core.store, limit, limits = core.gate.limits(), window = core.options.window] {
        return ReadQueue(store, limit, [&](const std::string& tenant) { return Most(limits.Of(tenant), window); });
      },
      [this](Core& under_lock, const QueueRead& read) {
        reading_ = false;
        if (!read.status.ok()) {
          LOG(ERROR) << "the queue cannot be read, it is tried again: " << read.status.ToString();
          return;
        }
        more_models_ = !read.all_models;
        for (const std::string& name : read.models) {
          if (under_lock.board.models() < under_lock.options.window) Take(under_lock, name, "");
        }
        sated_ = read.more;
        bool left = false;
        for (const Next& job : read.jobs) {
          if (under_lock.board.FindOwner(job.name) != nullptr || loads(job.name)) continue;
          if (!TakesMore(under_lock, job.tenant)) {
            sated_.insert(job.tenant);
          } else if (Room(under_lock) > 0) {
            Take(under_lock, job.name, job.tenant);
          } else {
            left = true;
          }
        }
        more_jobs_ = left || !read.all_jobs;
      });
}

}  // namespace bitwright::server
