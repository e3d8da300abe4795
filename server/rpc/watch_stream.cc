#include "server/rpc/watch_stream.h"

#include <string>
#include <utility>

#include "proto/contract/job_states.h"
#include "server/rpc/watch_reactor.h"

namespace bitwright::server {
namespace {

// A resource with a name and a revision.
template <typename WatchRequest, typename Resource>
struct ResourceSource {
  using Request = WatchRequest;
  using Message = Resource;

  absl::Status Open(const Request& request) {
    name = request.name();
    return absl::OkStatus();
  }
  int64_t Subscribe(Scheduler& scheduler, std::function<void()> on_change) const {
    return scheduler.Subscribe(name, std::move(on_change));
  }
  bool IsNews(const Message& now) {
    if (now.revision() <= sent_revision) return false;
    sent_revision = now.revision();
    return true;
  }

  std::string name;
  int64_t sent_revision = -1;  // a model of an older version may have 0
};

struct JobSource : ResourceSource<v1::WatchJobRequest, v1::Job> {
  static constexpr const Method& kMethod = kWatchJob;
  explicit JobSource(JobResources& resources) : jobs(resources) {}

  absl::StatusOr<v1::Job> Get(const CallContext& call) const { return jobs.Get(call, name); }
  static bool IsLast(const v1::Job& job) { return IsTerminal(job.state()); }

  JobResources& jobs;
};

struct ModelSource : ResourceSource<v1::WatchModelRequest, v1::Model> {
  static constexpr const Method& kMethod = kWatchModel;
  explicit ModelSource(ModelResources& resources) : models(resources) {}

  absl::StatusOr<v1::Model> Get(const CallContext& call) const { return models.Get(call, name); }
  static bool IsLast(const v1::Model& model) { return model.state() != v1::Model::INSPECTING; }

  ModelResources& models;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartJobWatch(RpcEnvironment& environment,
                                                          grpc::CallbackServerContext* context, JobResources& jobs,
                                                          Scheduler& scheduler, const grpc::ByteBuffer& request) {
  return StartWatch(environment, context, JobSource(jobs), scheduler, request);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartModelWatch(RpcEnvironment& environment,
                                                            grpc::CallbackServerContext* context,
                                                            ModelResources& models, Scheduler& scheduler,
                                                            const grpc::ByteBuffer& request) {
  return StartWatch(environment, context, ModelSource(models), scheduler, request);
}

}  // namespace bitwright::server
