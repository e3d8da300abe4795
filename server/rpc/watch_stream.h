#pragma once

#include <grpcpp/support/server_callback.h>

#include <string>

#include "bitwright/v1/jobs.pb.h"
#include "server/resources/jobs.h"
#include "server/rpc/call_scope.h"
#include "server/scheduler/scheduler.h"

namespace bitwright::server {

// JobService.WatchJob: the job now, then after changes until it is terminal. Changes that come while a message is under
// way share the next one. The reactor owns itself.
grpc::ServerWriteReactor<v1::Job>* StartWatchStream(RpcEnvironment& environment, JobResources& jobs,
                                                    Scheduler& scheduler, const std::string& job);

}  // namespace bitwright::server
