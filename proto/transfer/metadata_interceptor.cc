#include "proto/transfer/metadata_interceptor.h"

#include <utility>

#include "proto/transfer/interceptor_factory.h"

namespace bitwright {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;
using Metadata = std::map<std::string, std::string>;

class OfCall final : public Interceptor {
 public:
  explicit OfCall(std::shared_ptr<const Metadata> metadata) : metadata_(std::move(metadata)) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->insert(metadata_->begin(), metadata_->end());
    }
    methods->Proceed();
  }

 private:
  const std::shared_ptr<const Metadata> metadata_;
};

}  // namespace

std::unique_ptr<ClientInterceptorFactoryInterface> MetadataInterceptor(Metadata metadata) {
  using Factory = InterceptorFactory<OfCall, const Metadata>;
  return std::make_unique<Factory>(std::make_shared<const Metadata>(std::move(metadata)));
}

}  // namespace bitwright
