#include "proto/base/errors.h"

#include "absl/strings/cord.h"
#include "google/rpc/error_details.pb.h"
#include "proto/base/message_bytes.h"
#include "proto/base/utf8.h"

namespace bitwright {
namespace {

constexpr char kDomain[] = "bitwright";
constexpr char kTypeUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";

}  // namespace

absl::Status MakeError(absl::StatusCode code, std::string_view reason, std::string_view message,
                       std::map<std::string, std::string> metadata) {
  absl::Status status(code, Printable(message));
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kDomain);
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[Printable(key)] = Printable(value);
  status.SetPayload(kTypeUrl, absl::Cord(DeterministicBytes(info)));
  return status;
}

std::optional<ErrorDetail> GetErrorDetail(const absl::Status& status) {
  const auto payload = status.GetPayload(kTypeUrl);
  if (!payload.has_value()) return std::nullopt;
  google::rpc::ErrorInfo info;
  if (!info.ParseFromString(std::string(*payload))) return std::nullopt;
  ErrorDetail detail{info.reason(), {}};
  for (const auto& [key, value] : info.metadata()) detail.metadata.emplace(key, value);
  return detail;
}

std::string ErrorReason(const absl::Status& status) {
  const auto detail = GetErrorDetail(status);
  return detail ? detail->reason : std::string();
}

}  // namespace bitwright
