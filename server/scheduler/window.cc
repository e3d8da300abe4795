#include "server/scheduler/window.h"

#include <algorithm>
#include <string>
#include <vector>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "server/scheduler/core.h"
#include "server/scheduler/loading.h"

namespace bitwright::server {
namespace {

// Those that wait for a missing worker are not counted, but they do not fill the memory either.
constexpr int kMostTimesTheWindow = 4;

struct QueueRead {
  absl::Status status;
  std::vector<std::string> models;
  std::vector<QueuedJob> jobs;  // in the order in which they are to be taken
  bool all_models = false;      // there are no others
  bool all_jobs = false;
};

// Of several tenants by turns, so that none fills the window; each in its own order.
absl::Status ReadJobs(Snapshot& snapshot, int limit, QueueRead& read) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> tenants, snapshot.TenantsWith(v1::Job::QUEUED));
  std::vector<std::vector<QueuedJob>> queues;
  size_t longest = 0;
  read.all_jobs = true;
  for (const std::string& tenant : tenants) {
    ABSL_ASSIGN_OR_RETURN(std::vector<QueuedJob> queue, snapshot.Queue(v1::Job::QUEUED, tenant, limit));
    read.all_jobs &= static_cast<int>(queue.size()) < limit;
    longest = std::max(longest, queue.size());
    queues.push_back(std::move(queue));
  }
  for (size_t i = 0; i < longest; ++i) {
    for (const std::vector<QueuedJob>& queue : queues) {
      if (i < queue.size()) read.jobs.push_back(queue[i]);
    }
  }
  std::stable_sort(read.jobs.begin(), read.jobs.end(),
                   [](const QueuedJob& a, const QueuedJob& b) { return a.priority > b.priority; });
  return absl::OkStatus();
}

QueueRead ReadQueue(Store& store, int limit) {
  QueueRead read;
  read.status = store.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(read.models, snapshot.UnfinishedModels(limit));
    read.all_models = static_cast<int>(read.models.size()) < limit;
    return ReadJobs(snapshot, limit, read);
  });
  return read;
}

}  // namespace

size_t Window::Room(const Core& core) const {
  const auto bound = static_cast<size_t>(core.options.window);
  const size_t inside = waiting_.size() + loading_.size();
  if (inside >= kMostTimesTheWindow * bound) return 0;
  const size_t counted = inside - std::min(inside, aside_);
  return counted >= bound ? 0 : bound - counted;
}

void Window::MakeRoom(Core& core, int priority) {
  for (const auto& [other, name] : by_priority_) {
    if (other >= priority) return;
    Owner* owner = core.board.FindOwner(name);
    if (owner == nullptr || owner->planning || !owner->Untouched()) continue;
    Forget(core, *owner);
    more_jobs_ = true;
    return;
  }
}

void Window::OnArrived(Core& core, const std::string& name, int priority) {
  if (core.board.FindOwner(name) != nullptr || loading_.contains(name)) return;
  if (ParseResourceName(name, Collection::kModels).ok()) {
    if (core.board.models() >= core.options.window) {
      more_models_ = true;
      return;
    }
  } else if (Room(core) == 0) {
    MakeRoom(core, priority);
    if (Room(core) == 0) {
      more_jobs_ = true;
      return;
    }
  }
  loading_.insert(name);
  Load(core, name, nullptr);
}

void Window::OnLeftQueue(const std::string& name) {
  const auto it = waiting_.find(name);
  if (it == waiting_.end()) return;
  by_priority_.erase({it->second, name});
  waiting_.erase(it);
}

void Window::OnLoaded(const Owner& owner) {
  loading_.erase(owner.name);
  const JobWork* job = owner.job();
  if (job == nullptr || job->job.state() != v1::Job::QUEUED) return;
  waiting_[owner.name] = owner.priority();
  by_priority_.emplace(owner.priority(), owner.name);
}

void Window::Fill(Core& core) {
  const bool models = more_models_ && core.board.models() < core.options.window;
  const bool jobs = more_jobs_ && Room(core) > 0;
  if (reading_ || (!models && !jobs)) return;
  reading_ = true;
  // As many as are here already come first.
  const int limit = static_cast<int>(waiting_.size() + loading_.size() + core.board.models()) + core.options.window;
  Outside<QueueRead>(
      core, [&store = core.store, limit] { return ReadQueue(store, limit); },
      [this](Core& under_lock, QueueRead read) {
        reading_ = false;
        if (!read.status.ok()) {
          LOG(ERROR) << "the queue cannot be read, it is tried again: " << read.status.ToString();
          return;
        }
        const auto take = [&](const std::string& name) {
          if (under_lock.board.FindOwner(name) != nullptr || !loading_.insert(name).second) return;
          Load(under_lock, name, nullptr);
        };
        more_models_ = !read.all_models;
        for (const std::string& name : read.models) {
          if (under_lock.board.models() < under_lock.options.window) take(name);
        }
        bool left = false;
        for (const QueuedJob& job : read.jobs) {
          if (Room(under_lock) > 0) {
            take(job.name);
          } else {
            left = true;
          }
        }
        more_jobs_ = left || !read.all_jobs;
      });
}

}  // namespace bitwright::server
