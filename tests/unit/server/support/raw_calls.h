#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bitwright/v1/blobs.grpc.pb.h"
#include "bitwright/v1/workers.grpc.pb.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "proto/contract/digest.h"
#include "proto/contract/grpc_status.h"

namespace bitwright::server {

// The calls that the client library has no words for: those of a worker, played by the test, and byte streams that are
// cut or wrong where the test wants it. Each call has a deadline.
class RawCalls {
 public:
  explicit RawCalls(const std::string& address);

  static std::unique_ptr<grpc::ClientContext> Context(int seconds = 20);

  // Calls a unary method once: Call<v1::LeaseTaskResponse>(*calls.workers, &v1::WorkerService::Stub::LeaseTask,
  // request).
  template <typename Response, typename Stub, typename Method, typename Request>
  absl::StatusOr<Response> Call(Stub& stub, Method method, const Request& request) {
    Response response;
    const auto context = Context();
    const absl::Status status = FromGrpc((stub.*method)(context.get(), request, &response));
    if (!status.ok()) return status;
    return response;
  }

  // Sends bytes in chunks from `offset` on; the name's digest is `digest`. Returns the committed size.
  absl::StatusOr<int64_t> Upload(const std::string& uuid, const BlobDigest& digest, std::string_view bytes,
                                 int64_t offset = 0, bool finish = true, size_t chunk = 1 << 20);
  BlobDigest Put(const std::string& bytes);  // must succeed
  absl::StatusOr<std::string> Read(const std::string& name, int64_t offset = 0, int64_t limit = 0);

  std::string Register();
  std::optional<v1::Lease> Lease(const std::string& worker, int wait_seconds);
  absl::Status Complete(const std::string& worker, const v1::Lease& lease);
  // Registers a worker and runs what there is, at most so many; each result must be accepted. Returns how many ran.
  int RunTasks(int limit);

  int windows = 20;           // of every text that a task of the test tokenizes
  int64_t largest_lease = 0;  // bytes of the answers that brought one
  int64_t report_lease = 0;   // of those the one of a report
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::BlobService::Stub> blobs;
  std::unique_ptr<v1::WorkerService::Stub> workers;
  std::unique_ptr<google::bytestream::ByteStream::Stub> bytes;

 private:
  const std::string id_;  // of its uploads, which others may make beside it
  int uploads_ = 0;
};

}  // namespace bitwright::server
