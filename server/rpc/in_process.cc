#include "server/rpc/in_process.h"

#include <grpcpp/channel.h>
#include <grpcpp/server.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_interceptor.h>

#include <utility>
#include <vector>

#include "proto/contract/limits.h"

namespace bitwright::server {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::ClientRpcInfo;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;
using Metadata = std::map<std::string, std::string>;

// Of one call.
class MetadataInterceptor final : public Interceptor {
 public:
  explicit MetadataInterceptor(std::shared_ptr<const Metadata> metadata) : metadata_(std::move(metadata)) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->insert(metadata_->begin(), metadata_->end());
    }
    methods->Proceed();
  }

 private:
  const std::shared_ptr<const Metadata> metadata_;
};

class MetadataInterceptorFactory final : public ClientInterceptorFactoryInterface {
 public:
  explicit MetadataInterceptorFactory(const Metadata& metadata) : metadata_(std::make_shared<Metadata>(metadata)) {}
  Interceptor* CreateClientInterceptor(ClientRpcInfo*) override { return new MetadataInterceptor(metadata_); }

 private:
  const std::shared_ptr<const Metadata> metadata_;
};

}  // namespace

std::shared_ptr<grpc::Channel> OpenInProcessChannel(grpc::Server& server, const Metadata& metadata) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(limits::kMaxInlineProtoBytes));
  std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> factories;
  factories.push_back(std::make_unique<MetadataInterceptorFactory>(metadata));
  return server.experimental().InProcessChannelWithInterceptors(arguments, std::move(factories));
}

}  // namespace bitwright::server
