#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/blobs/held_blobs.h"
#include "server/rpc/call_scope.h"

namespace bitwright::server {

// ByteStream.Read: sends the asked part of a blob in messages of limits::kStreamChunkBytes. The reactor owns itself.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartReadStream(RpcEnvironment& environment,
                                                            grpc::CallbackServerContext* context, HeldBlobs& held,
                                                            const grpc::ByteBuffer& request);

}  // namespace bitwright::server
