#include "bitwright/v1/capabilities.grpc.pb.h"
#include "server/blobs/disk_watch.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/services.h"

namespace bitwright::server {
namespace {

using RawCapabilityService =
    v1::CapabilityService::WithRawCallbackMethod_GetCapabilities<v1::CapabilityService::Service>;

v1::Capabilities::Storage::State StateOf(DiskWatch::State state) {
  switch (state) {
    case DiskWatch::State::kRoomy:
      return v1::Capabilities::Storage::ROOMY;
    case DiskWatch::State::kLow:
      return v1::Capabilities::Storage::LOW;
    case DiskWatch::State::kFull:
      return v1::Capabilities::Storage::FULL;
  }
  return v1::Capabilities::Storage::STATE_UNSPECIFIED;
}

class CapabilityService final : public RawCapabilityService {
 public:
  CapabilityService(RpcEnvironment& environment, v1::Capabilities capabilities, const DiskWatch& disk)
      : environment_(environment), capabilities_(std::move(capabilities)), disk_(disk) {}

  grpc::ServerUnaryReactor* GetCapabilities(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* response) override {
    return RunUnary<v1::GetCapabilitiesRequest, v1::Capabilities>(
        environment_, context, kGetCapabilities, request, response, [this](const CallContext&, const auto&, auto& out) {
          out = capabilities_;
          out.mutable_storage()->set_state(StateOf(disk_.state()));
          out.mutable_storage()->set_free_bytes(disk_.free_bytes());
          return absl::OkStatus();
        });
  }

 private:
  RpcEnvironment& environment_;
  const v1::Capabilities capabilities_;  // but for what changes
  const DiskWatch& disk_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCapabilityService(RpcEnvironment& environment, v1::Capabilities capabilities,
                                                     const DiskWatch& disk) {
  return std::make_unique<CapabilityService>(environment, std::move(capabilities), disk);
}

}  // namespace bitwright::server
