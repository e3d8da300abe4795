#include "proto/transfer/token_interceptor.h"

#include <grpcpp/support/client_interceptor.h>

#include "proto/contract/grpc_status.h"
#include "proto/transfer/access_errors.h"

namespace bitwright {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;

// Of one call.
class TokenInterceptor final : public Interceptor {
 public:
  explicit TokenInterceptor(std::shared_ptr<TokenSource> source)
      : source_(std::move(source)), token_(source_->token()) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace("authorization", "Bearer " + token_);
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_STATUS)) {
      grpc::Status* status = methods->GetRecvStatus();
      if (status->error_code() == grpc::StatusCode::UNAUTHENTICATED && source_->Renew(token_)) {
        *status = ToGrpc(TokenRenewedError());
      }
    }
    methods->Proceed();
  }

 private:
  const std::shared_ptr<TokenSource> source_;
  const std::string token_;
};

class TokenInterceptorFactory final : public ClientInterceptorFactoryInterface {
 public:
  explicit TokenInterceptorFactory(std::shared_ptr<TokenSource> source) : source_(std::move(source)) {}
  Interceptor* CreateClientInterceptor(ClientRpcInfo*) override { return new TokenInterceptor(source_); }

 private:
  const std::shared_ptr<TokenSource> source_;
};

}  // namespace

std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> TokenInterceptors(std::shared_ptr<TokenSource> source) {
  std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> factories;
  factories.push_back(std::make_unique<TokenInterceptorFactory>(std::move(source)));
  return factories;
}

}  // namespace bitwright
