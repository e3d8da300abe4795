#include "tests/bench/service/fleet.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/bench/service/pace.h"

namespace bitwright::server {
namespace {

constexpr int kConnections = 8;
constexpr int kThreads = 8;  // that fill the workers
constexpr absl::Duration kPatience = absl::Minutes(10);
constexpr int kWaitSeconds = 1;

}  // namespace

struct WorkerFleet::Worker {
  Calls* calls = nullptr;
  std::string name;
  std::deque<v1::Lease> held;  // oldest first; only the pair under way touches it
  int beats = 0;
  // The call under way.
  std::unique_ptr<grpc::ClientContext> context;
  v1::LeaseTaskRequest lease_request;
  v1::LeaseTaskResponse lease_response;
  v1::CompleteTaskRequest completion;
  v1::CompleteTaskResponse completed;
  double lease_start = 0;
};

WorkerFleet::WorkerFleet(const std::string& address, const Workload& workload, int workers, int held,
                         OnComplete on_complete)
    : workload_(workload), on_complete_(std::move(on_complete)) {
  for (int i = 0; i < kConnections; ++i) calls_.push_back(std::make_unique<Calls>(address));
  for (int i = 0; i < workers; ++i) {
    Worker& worker = *workers_.emplace_back(std::make_unique<Worker>());
    worker.calls = calls_[i % kConnections].get();
    worker.name = worker.calls->Register(held + 1);  // a task may be leased before the other is handed in
    worker.lease_request.set_worker(worker.name);
    worker.lease_request.mutable_max_wait()->set_seconds(kWaitSeconds);
  }
  std::vector<std::thread> threads;
  std::atomic<size_t> next{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (size_t i = next++; i < workers_.size() * held; i = next++) {
        // Round after round, so that no two threads fill one worker at a time as long as there are enough of them.
        Worker& worker = *workers_[i % workers_.size()];
        std::optional<v1::Lease> lease = worker.calls->Lease(worker.name, kWaitSeconds);
        CHECK(lease.has_value()) << "there are not enough tasks";
        absl::MutexLock lock(&mutex_);
        worker.held.push_back(*std::move(lease));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  absl::MutexLock lock(&mutex_);
  for (const auto& worker : workers_) free_.push_back(worker.get());
}

WorkerFleet::~WorkerFleet() {
  absl::MutexLock lock(&mutex_);
  to_begin_ = 0;
  AwaitNoneUnderWay();
}

void WorkerFleet::AwaitNoneUnderWay() {
  const auto none = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return under_way_ == 0; };
  CHECK(mutex_.AwaitWithTimeout(absl::Condition(&none), kPatience)) << "calls are not answered";
}

void WorkerFleet::BeginPair(Worker& worker) {
  worker.completion = workload_.Completion(worker.name, worker.held.front());
  worker.context = PatientContext();
  worker.calls->workers->async()->CompleteTask(worker.context.get(), &worker.completion, &worker.completed,
                                               [this, &worker](const grpc::Status& status) {
                                                 CHECK(status.ok()) << status.error_message();
                                                 if (on_complete_) on_complete_(worker.held.front());
                                                 worker.held.pop_front();
                                                 BeginLease(worker);
                                               });
}

void WorkerFleet::BeginLease(Worker& worker) {
  worker.context = PatientContext();
  worker.lease_start = NowSeconds();
  worker.calls->workers->async()->LeaseTask(
      worker.context.get(), &worker.lease_request, &worker.lease_response, [this, &worker](const grpc::Status& status) {
        CHECK(status.ok()) << status.error_message();
        const bool leased = worker.lease_response.has_lease();
        if (leased) worker.held.push_back(std::move(*worker.lease_response.mutable_lease()));
        EndPair(worker, leased, NowSeconds() - worker.lease_start);
      });
}

void WorkerFleet::EndPair(Worker& worker, bool leased, double lease_seconds) {
  bool again = false;
  {
    absl::MutexLock lock(&mutex_);
    CHECK(leased || !worker.held.empty()) << "there are not enough tasks";
    if (leased) {
      done_.pairs += 1;
      done_.leases.Add(lease_seconds);
    }
    again = to_begin_ > 0;
    if (again) {
      to_begin_ -= 1;
    } else {
      free_.push_back(&worker);
      under_way_ -= 1;
    }
  }
  if (again) BeginPair(worker);
}

WorkerFleet::Done WorkerFleet::Finish(double start) {
  AwaitNoneUnderWay();
  done_.seconds = NowSeconds() - start;
  return std::exchange(done_, {});
}

WorkerFleet::Done WorkerFleet::RunAtFullSpeed(int pairs, double seconds) {
  const double start = NowSeconds();
  std::vector<Worker*> beginning;
  {
    absl::MutexLock lock(&mutex_);
    std::swap(beginning, free_);
    if (static_cast<int>(beginning.size()) > pairs) {
      free_.assign(beginning.begin() + pairs, beginning.end());
      beginning.resize(pairs);
    }
    under_way_ = static_cast<int>(beginning.size());
    to_begin_ = pairs - under_way_;
  }
  for (Worker* worker : beginning) BeginPair(*worker);
  absl::MutexLock lock(&mutex_);
  const auto all_begun = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return to_begin_ == 0; };
  mutex_.AwaitWithTimeout(absl::Condition(&all_begun), absl::Seconds(seconds));
  to_begin_ = 0;
  return Finish(start);
}

WorkerFleet::Done WorkerFleet::RunAtPace(int pairs, double per_second) {
  const double start = NowSeconds();
  for (int i = 0; i < pairs; ++i) {
    RestUntil(start + i / per_second);
    Worker* worker = nullptr;
    {
      absl::MutexLock lock(&mutex_);
      const auto one_free = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !free_.empty(); };
      CHECK(mutex_.AwaitWithTimeout(absl::Condition(&one_free), kPatience)) << "calls are not answered";
      worker = free_.front();  // that which has been free for longest
      free_.erase(free_.begin());
      under_way_ += 1;
    }
    BeginPair(*worker);
  }
  absl::MutexLock lock(&mutex_);
  return Finish(start);
}

std::vector<v1::HeartbeatRequest> WorkerFleet::Heartbeats() {
  std::vector<v1::HeartbeatRequest> all;
  absl::MutexLock lock(&mutex_);
  for (const auto& worker : workers_) {
    v1::HeartbeatRequest& request = all.emplace_back();
    request.set_worker(worker->name);
    worker->beats += 1;
    for (const v1::Lease& lease : worker->held) {
      auto& running = *request.add_running();
      running.set_task(lease.task());
      running.set_fencing_token(lease.fencing_token());
      running.set_progress(1.0 - 1.0 / (1.0 + worker->beats));
    }
  }
  return all;
}

}  // namespace bitwright::server
