#pragma once

#include <cstddef>
#include <string>

namespace grpc {
class ServerBuilder;
}

namespace bitwright::server {

// Bounds a gRPC server against hostile and slow clients: messages, metadata, streams of a connection, memory and
// threads of gRPC; dead and idle connections are closed. deploy/README.md states the numbers. `message_bytes`: of
// messages that arrive or leave, in all connections.
void BoundServer(grpc::ServerBuilder& builder, size_t message_bytes);

// The address with the port that was bound; a socket's as it is.
std::string BoundAddress(const std::string& address, int port);

}  // namespace bitwright::server
