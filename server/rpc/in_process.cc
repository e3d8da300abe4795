#include "server/rpc/in_process.h"

#include <grpcpp/channel.h>
#include <grpcpp/server.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/support/client_interceptor.h>

#include <vector>

#include "proto/contract/limits.h"
#include "proto/transfer/metadata_interceptor.h"

namespace bitwright::server {

std::shared_ptr<grpc::Channel> OpenInProcessChannel(grpc::Server& server,
                                                    const std::map<std::string, std::string>& metadata) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(limits::kMaxInlineProtoBytes));
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> factories;
  factories.push_back(MetadataInterceptor(metadata));
  return server.experimental().InProcessChannelWithInterceptors(arguments, std::move(factories));
}

}  // namespace bitwright::server
