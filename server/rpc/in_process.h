#pragma once

#include <map>
#include <memory>
#include <string>

namespace grpc {
class Channel;
class Server;
}  // namespace grpc

namespace bitwright::server {

// A channel to a server of this process whose every call carries the metadata.
std::shared_ptr<grpc::Channel> OpenInProcessChannel(grpc::Server& server,
                                                    const std::map<std::string, std::string>& metadata);

}  // namespace bitwright::server
