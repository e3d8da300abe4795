#include "bitwright/v1/capabilities.grpc.pb.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/services.h"

namespace bitwright::server {
namespace {

using RawCapabilityService =
    v1::CapabilityService::WithRawCallbackMethod_GetCapabilities<v1::CapabilityService::Service>;

class CapabilityService final : public RawCapabilityService {
 public:
  CapabilityService(RpcEnvironment& environment, v1::Capabilities capabilities)
      : environment_(environment), capabilities_(std::move(capabilities)) {}

  grpc::ServerUnaryReactor* GetCapabilities(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* response) override {
    return RunUnary<v1::GetCapabilitiesRequest, v1::Capabilities>(
        environment_, context, kGetCapabilities, request, response, [this](const CallContext&, const auto&, auto& out) {
          out = capabilities_;
          return absl::OkStatus();
        });
  }

 private:
  RpcEnvironment& environment_;
  const v1::Capabilities capabilities_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCapabilityService(RpcEnvironment& environment, v1::Capabilities capabilities) {
  return std::make_unique<CapabilityService>(environment, std::move(capabilities));
}

}  // namespace bitwright::server
