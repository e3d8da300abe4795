#pragma once

#include <memory>

#include "bitwright/v1/capabilities.pb.h"
#include "proto/base/clock.h"
#include "server/blobs/held_blobs.h"
#include "server/resources/cache_entries.h"
#include "server/resources/jobs.h"
#include "server/resources/models.h"
#include "server/resources/recipes.h"
#include "server/resources/tasks.h"
#include "server/resources/tenants.h"
#include "server/resources/workers.h"
#include "server/scheduler/scheduler.h"

namespace grpc {
class Service;
}

namespace bitwright::server {

class DiskWatch;

struct RpcEnvironment;
struct UploadParts;
class IdleStreams;

// What operators steer.
struct OperatorParts {
  WorkerResources& workers;
  TaskResources& tasks;
  CacheEntries& cache;
  TenantResources& tenants;
};

// The handlers, a service each. They refer to what they are given and may be called as soon as they are registered.
std::unique_ptr<grpc::Service> MakeBlobService(RpcEnvironment& environment, HeldBlobs& held, const Clock& clock);
std::unique_ptr<grpc::Service> MakeByteStreamService(RpcEnvironment& environment, const UploadParts& parts,
                                                     IdleStreams& idle);
std::unique_ptr<grpc::Service> MakeCapabilityService(RpcEnvironment& environment, v1::Capabilities capabilities,
                                                     const DiskWatch& disk);
std::unique_ptr<grpc::Service> MakeModelService(RpcEnvironment& environment, ModelResources& models,
                                                Scheduler& scheduler);
std::unique_ptr<grpc::Service> MakeRecipeService(RpcEnvironment& environment, const RecipeResources& recipes);
std::unique_ptr<grpc::Service> MakeJobService(RpcEnvironment& environment, JobResources& jobs, TaskResources& tasks,
                                              Scheduler& scheduler);
std::unique_ptr<grpc::Service> MakeWorkerService(RpcEnvironment& environment, Scheduler& scheduler,
                                                 WorkerResources& workers, absl::Duration heartbeat);
std::unique_ptr<grpc::Service> MakeOperatorService(RpcEnvironment& environment, const OperatorParts& parts);
std::unique_ptr<grpc::Service> MakeScalerService(RpcEnvironment& environment, Scheduler& scheduler);

}  // namespace bitwright::server
