#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bitwright/v1/blobs.grpc.pb.h"
#include "bitwright/v1/jobs.grpc.pb.h"
#include "bitwright/v1/models.grpc.pb.h"
#include "bitwright/v1/recipes.grpc.pb.h"
#include "bitwright/v1/workers.grpc.pb.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "proto/contract/digest.h"
#include "proto/contract/grpc_status.h"

namespace bitwright::server {

// Stubs to a running server and the few calls that every test makes. Each call has a deadline.
class TestClient {
 public:
  explicit TestClient(const std::string& address);

  static std::unique_ptr<grpc::ClientContext> Context(int seconds = 20);

  // Calls a unary method: Call(client.jobs->GetJob, request) is written
  // client.Call<v1::Job>(*client.jobs, &v1::JobService::Stub::GetJob, request).
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

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::BlobService::Stub> blobs;
  std::unique_ptr<v1::ModelService::Stub> models;
  std::unique_ptr<v1::JobService::Stub> jobs;
  std::unique_ptr<v1::RecipeService::Stub> recipes;
  std::unique_ptr<v1::WorkerService::Stub> workers;
  std::unique_ptr<google::bytestream::ByteStream::Stub> bytes;

 private:
  int uploads_ = 0;
};

}  // namespace bitwright::server
