#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/blobs/disk_watch.h"

namespace bitwright::server {

// A watermark as operators write it: bytes ("2147483648", "2GiB", "512MiB"), a part of the file system ("5%", "0.5%"),
// or one of each with a comma, of which the smaller counts; "0": never. INVALID_ARGUMENT, reason WATERMARK_INVALID.
absl::StatusOr<Watermark> ParseWatermark(std::string_view text);
// The same back: "5%,2GiB".
std::string WatermarkText(const Watermark& mark);

}  // namespace bitwright::server
