#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/rpc/call_scope.h"
#include "server/scheduler/scheduler.h"

namespace bitwright::server {

// WorkerService.LeaseTask: waits in the scheduler without holding a thread. The reactor owns itself.
grpc::ServerUnaryReactor* StartLeaseCall(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                         Scheduler& scheduler, const grpc::ByteBuffer& request,
                                         grpc::ByteBuffer* response);

}  // namespace bitwright::server
