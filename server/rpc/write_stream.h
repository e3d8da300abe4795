#pragma once

#include <grpcpp/support/server_callback.h>

#include "proto/base/clock.h"
#include "server/blobs/blobs.h"
#include "server/blobs/held_blobs.h"
#include "server/rpc/call_scope.h"

namespace bitwright::server {

// ByteStream.Write: receives one blob. While one message is hashed and written on the pool the next ones are received,
// at most kMaxWaitingMessages ahead; order is kept by a strand. The reactor owns itself.
inline constexpr int kMaxWaitingMessages = 4;
grpc::ServerReadReactor<grpc::ByteBuffer>* StartWriteStream(RpcEnvironment& environment, BlobStore& blobs,
                                                            HeldBlobs& held, const Clock& clock,
                                                            grpc::ByteBuffer* response);

}  // namespace bitwright::server
