#include "tests/unit/server/support/fake_collector.h"

#include <grpcpp/grpcpp.h>

#include "absl/synchronization/mutex.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"
#include "proto/base/log.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

}  // namespace

struct FakeCollector::State final : opentelemetry::proto::collector::trace::v1::TraceService::Service {
  grpc::Status Export(grpc::ServerContext*, const Request* request, Response* response) override {
    Answer answer;
    {
      absl::MutexLock lock(&mutex);
      calls.push_back(*request);
      if (!answers.empty()) {
        answer = answers.front();
        answers.pop_front();
      }
    }
    const grpc::Status status = answer ? answer(*response) : grpc::Status::OK;
    absl::MutexLock lock(&mutex);
    if (!status.ok()) return status;
    for (const auto& resource : request->resource_spans()) {
      for (const auto& scope : resource.scope_spans()) {
        for (const auto& span : scope.spans()) spans.push_back(span);
      }
    }
    return status;
  }

  template <typename T>
  bool WaitFor(const std::vector<T>& list, size_t count) {
    const auto reached = [&] { return list.size() >= count; };
    absl::MutexLock lock(&mutex);
    return mutex.AwaitWithTimeout(absl::Condition(&reached), kPatience);
  }

  absl::Mutex mutex;
  std::deque<Answer> answers;
  std::vector<Request> calls;
  std::vector<Taken> spans;
  std::string address;
  std::unique_ptr<grpc::Server> server;
};

FakeCollector::FakeCollector(std::deque<Answer> answers, const std::string& listen,
                             std::shared_ptr<grpc::ServerCredentials> tls)
    : state_(std::make_unique<State>()) {
  state_->answers = std::move(answers);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(listen, tls != nullptr ? tls : grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(state_.get());
  state_->server = builder.BuildAndStart();
  CHECK(state_->server != nullptr) << listen;
  state_->address = listen.starts_with("unix:") ? listen : "127.0.0.1:" + std::to_string(port);
}

FakeCollector::~FakeCollector() { state_->server->Shutdown(absl::ToChronoTime(absl::UnixEpoch())); }

std::string FakeCollector::address() const { return state_->address; }

std::vector<FakeCollector::Request> FakeCollector::calls() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->calls;
}

std::vector<FakeCollector::Taken> FakeCollector::spans() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->spans;
}

std::vector<std::string> FakeCollector::names() const {
  std::vector<std::string> names;
  for (const Taken& span : spans()) names.push_back(span.name());
  return names;
}

bool FakeCollector::WaitForSpans(size_t count) const { return state_->WaitFor(state_->spans, count); }
bool FakeCollector::WaitForCalls(size_t count) const { return state_->WaitFor(state_->calls, count); }

}  // namespace bitwright::server
