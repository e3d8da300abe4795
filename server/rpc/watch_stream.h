#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/resources/jobs.h"
#include "server/rpc/call_scope.h"
#include "server/scheduler/scheduler.h"

namespace bitwright::server {

// JobService.WatchJob: the job now, then after changes until it is terminal. Changes that come while a message is under
// way share the next one. The reactor owns itself.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartWatchStream(RpcEnvironment& environment,
                                                             grpc::CallbackServerContext* context, JobResources& jobs,
                                                             Scheduler& scheduler, const grpc::ByteBuffer& request);

}  // namespace bitwright::server
