#include "server/app/app_errors.h"

#include <cstring>
#include <string>

#include "proto/base/errors.h"

namespace bitwright::server {
namespace {

using absl::StatusCode;

std::string Text(std::string_view view) { return std::string(view); }

}  // namespace

absl::Status ListenAddressInvalidError(std::string_view address) {
  return MakeError(StatusCode::kInvalidArgument, "LISTEN_INVALID",
                   "listen address '" + Text(address) + "' is neither HOST:PORT nor unix:/path",
                   {{"address", Text(address)}});
}

absl::Status WebAddressInvalidError(std::string_view address) {
  return MakeError(StatusCode::kInvalidArgument, "LISTEN_INVALID",
                   "address '" + Text(address) + "' of the web page is not HOST:PORT; give one, or \"off\"",
                   {{"address", Text(address)}});
}

absl::Status PublicPlaintextRefusedError(std::string_view address, std::string_view missing) {
  return MakeError(StatusCode::kInvalidArgument, "PUBLIC_PLAINTEXT_REFUSED",
                   "address '" + Text(address) + "' can be reached from other machines, which takes " + Text(missing) +
                       "; give these, or listen on 127.0.0.1 (or unix:/path)",
                   {{"address", Text(address)}, {"missing", Text(missing)}});
}

absl::Status WatermarkInvalidError(std::string_view text) {
  return MakeError(StatusCode::kInvalidArgument, "WATERMARK_INVALID",
                   "'" + Text(text) +
                       "' is no amount of disk space; give bytes (2147483648, 2GiB), a part of the disk " +
                       "(5%), or several of these with commas, of which the smallest counts; 0 for never",
                   {{"text", Text(text)}});
}

absl::Status WatermarksCrossedError() {
  return MakeError(StatusCode::kInvalidArgument, "WATERMARKS_CROSSED",
                   "--disk-full is more than --disk-low on this disk: uploads would stop before new work does; give a "
                   "larger --disk-low or a smaller --disk-full");
}

absl::Status DataDirUnusableError(std::string_view path, int error) {
  return MakeError(StatusCode::kUnavailable, "DATA_DIR_UNUSABLE",
                   "data directory '" + Text(path) + "' cannot be used: " + std::strerror(error),
                   {{"path", Text(path)}});
}

absl::Status DataFileUnwritableError(const std::string& path, int error) { return DataDirUnusableError(path, error); }

absl::Status DataDirLockedError(std::string_view path) {
  return MakeError(
      StatusCode::kFailedPrecondition, "DATA_DIR_LOCKED",
      "data directory '" + Text(path) + "' is in use by another bitwrightd; stop that one or give another --data-dir",
      {{"path", Text(path)}});
}

absl::Status PortFileUnwritableError(std::string_view path, int error) {
  return MakeError(StatusCode::kUnavailable, "PORT_FILE_UNWRITABLE",
                   "port file '" + Text(path) + "' cannot be written: " + std::strerror(error), {{"path", Text(path)}});
}

absl::Status WorkerBinaryMissingError(std::string_view path) {
  return MakeError(StatusCode::kFailedPrecondition, "WORKER_BINARY_MISSING",
                   "worker program '" + Text(path) + "' is not there or not executable; give --worker-binary, or " +
                       "--workers 0 to run none here",
                   {{"path", Text(path)}});
}

}  // namespace bitwright::server
