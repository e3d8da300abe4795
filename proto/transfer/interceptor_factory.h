#pragma once

#include <grpcpp/support/client_interceptor.h>

#include <memory>
#include <utility>

namespace bitwright {

// What makes an Interceptor(part) for every call of a channel; all calls share the part.
template <typename Interceptor, typename Part>
class InterceptorFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit InterceptorFactory(std::shared_ptr<Part> part) : part_(std::move(part)) {}
  grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
    return new Interceptor(part_);
  }

 private:
  const std::shared_ptr<Part> part_;
};

}  // namespace bitwright
