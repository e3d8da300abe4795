#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bitwright/v1/jobs.grpc.pb.h"
#include "bitwright/v1/models.grpc.pb.h"
#include "bitwright/v1/workers.grpc.pb.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/base/log.h"
#include "proto/contract/digest.h"
#include "proto/contract/grpc_status.h"

namespace bitwright::server {

// A context of a call that may take long, since a slow server is what is measured.
std::unique_ptr<grpc::ClientContext> PatientContext();

// One connection with the stubs that the scenarios use. A call that fails ends the program. Thread-safe, as stubs are.
struct Calls {
  explicit Calls(const std::string& address);

  template <typename Response, typename Stub, typename Method, typename Request>
  static Response Must(Stub& stub, Method method, const Request& request) {
    Response response;
    const auto context = PatientContext();
    const absl::Status status = FromGrpc((stub.*method)(context.get(), request, &response));
    CHECK(status.ok()) << status.ToString();
    return response;
  }

  BlobDigest Put(std::string_view bytes);
  std::string Register(int slots);
  std::optional<v1::Lease> Lease(const std::string& worker, int most_seconds = 0);  // that it may wait
  v1::HeartbeatResponse Beat(const v1::HeartbeatRequest& request);
  v1::Job CreateJob(const v1::CreateJobRequest& request);

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::JobService::Stub> jobs;
  std::unique_ptr<v1::ModelService::Stub> models;
  std::unique_ptr<v1::WorkerService::Stub> workers;
  std::unique_ptr<google::bytestream::ByteStream::Stub> bytes;
};

// One model of the bundled sample's shape, inspected by a simulated worker, and jobs of it that share no task. What
// their tasks hand in is uploaded beforehand, so that finishing one costs the server its commit and no upload.
// Thread-safe once made.
class Workload {
 public:
  explicit Workload(Calls& calls);

  // Job number i: each number has data of its own as far as the server can tell, for 4,096 numbers also in its
  // numerics.
  v1::CreateJobRequest Job(int number, int priority = 0) const;
  v1::CompleteTaskRequest Completion(const std::string& worker, const v1::Lease& lease) const;

 private:
  void Upload(Calls& calls);
  void CreateModel(Calls& calls);

  std::map<std::string, v1::TaskResult> results_;  // by the kind of the task
  std::string model_;
  v1::Digest calibration_;
  v1::Digest evaluation_;
};

// Creates the jobs with the numbers 0 … count − 1 from so many threads at once.
void CreateJobs(const std::string& address, const Workload& workload, int count, int clients);

}  // namespace bitwright::server
