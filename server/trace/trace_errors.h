#pragma once

#include <string_view>

#include "absl/status/status.h"

// What is wrong with where spans are to go. INVALID_ARGUMENT.
namespace bitwright::server {

absl::Status OtlpEndpointInvalidError(std::string_view endpoint);   // OTLP_ENDPOINT_INVALID
absl::Status OtlpCertificateInvalidError(std::string_view path);    // OTLP_CERTIFICATE_INVALID
absl::Status OtlpPlaintextRefusedError(std::string_view endpoint);  // OTLP_PLAINTEXT_REFUSED

}  // namespace bitwright::server
