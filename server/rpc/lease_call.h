#pragma once

#include <grpcpp/support/server_callback.h>

#include "bitwright/v1/workers.pb.h"
#include "server/rpc/call_scope.h"
#include "server/scheduler/scheduler.h"

namespace bitwright::server {

// WorkerService.LeaseTask: waits in the scheduler without holding a thread. The reactor owns itself.
grpc::ServerUnaryReactor* StartLeaseCall(RpcEnvironment& environment, Scheduler& scheduler,
                                         const v1::LeaseTaskRequest& request, v1::LeaseTaskResponse* response);

}  // namespace bitwright::server
