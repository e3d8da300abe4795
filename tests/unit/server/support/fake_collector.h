#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace grpc {
class ServerCredentials;
class Status;
}  // namespace grpc

namespace bitwright::server {

// A collector in this process, over real gRPC, that answers as told. Thread-safe.
class FakeCollector {
 public:
  using Request = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
  using Response = opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
  using Taken = opentelemetry::proto::trace::v1::Span;
  using Answer = std::function<grpc::Status(Response&)>;

  // The first calls are answered so, in turn; all others are taken. No `tls`: plaintext.
  explicit FakeCollector(std::deque<Answer> answers = {}, const std::string& listen = "127.0.0.1:0",
                         std::shared_ptr<grpc::ServerCredentials> tls = nullptr);
  ~FakeCollector();

  std::string address() const;
  std::vector<Request> calls() const;      // whatever the answer
  std::vector<Taken> spans() const;        // that were taken, in order
  std::vector<std::string> names() const;  // of these
  bool WaitForSpans(size_t count) const;   // false: not within 20 s
  bool WaitForCalls(size_t count) const;   // likewise

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::server
