#include "proto/transfer/token_interceptor.h"

#include "proto/contract/grpc_status.h"
#include "proto/transfer/access_errors.h"
#include "proto/transfer/interceptor_factory.h"

namespace bitwright {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;

class OfCall final : public Interceptor {
 public:
  explicit OfCall(std::shared_ptr<TokenSource> source) : source_(std::move(source)), token_(source_->token()) {}

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

}  // namespace

std::unique_ptr<ClientInterceptorFactoryInterface> TokenInterceptor(std::shared_ptr<TokenSource> source) {
  return std::make_unique<InterceptorFactory<OfCall, TokenSource>>(std::move(source));
}

}  // namespace bitwright
