#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/rpc/call_scope.h"
#include "server/rpc/idle_streams.h"
#include "server/rpc/upload_session.h"

namespace bitwright::server {

// ByteStream.Write: receives one blob. While one message is hashed and written on the lane the next ones are received,
// at most kMaxWaitingMessages ahead; one step runs at a time, and a step is short. A stream that brings nothing for a
// while is ended by `idle`, so that its upload can be taken up by another. The reactor owns itself.
inline constexpr int kMaxWaitingMessages = 4;
grpc::ServerReadReactor<grpc::ByteBuffer>* StartWriteStream(RpcEnvironment& environment,
                                                            grpc::CallbackServerContext* context,
                                                            const UploadParts& parts, IdleStreams& idle,
                                                            grpc::ByteBuffer* response);

}  // namespace bitwright::server
