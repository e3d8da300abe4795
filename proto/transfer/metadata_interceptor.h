#pragma once

#include <map>
#include <memory>
#include <string>

namespace grpc::experimental {
class ClientInterceptorFactoryInterface;
}

namespace bitwright {

// What puts the metadata into every call of a channel. Keys are lower-case ASCII.
std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> MetadataInterceptor(
    std::map<std::string, std::string> metadata);

}  // namespace bitwright
