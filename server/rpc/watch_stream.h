#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/resources/jobs.h"
#include "server/resources/models.h"
#include "server/rpc/call_scope.h"
#include "server/scheduler/scheduler.h"

namespace bitwright::server {

// Streams of a resource: as it is now, then after changes until it changes no more. Changes that come while a message
// is under way share the next one. The reactors own themselves.

// JobService.WatchJob, until the job is terminal.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartJobWatch(RpcEnvironment& environment,
                                                          grpc::CallbackServerContext* context, JobResources& jobs,
                                                          Scheduler& scheduler, const grpc::ByteBuffer& request);
// ModelService.WatchModel, until the model is READY or REJECTED.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartModelWatch(RpcEnvironment& environment,
                                                            grpc::CallbackServerContext* context,
                                                            ModelResources& models, Scheduler& scheduler,
                                                            const grpc::ByteBuffer& request);

}  // namespace bitwright::server
