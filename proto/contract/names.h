#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/contract/digest.h"

namespace bitwright {

// What resource names begin with.
struct Collection {
  static constexpr char kModels[] = "models";
  static constexpr char kJobs[] = "jobs";
  static constexpr char kRecipes[] = "recipes";
  static constexpr char kWorkers[] = "workers";
  static constexpr char kTasks[] = "tasks";
};

// "{collection}/{id}" with an id of 1 … 63 lower-case letters, digits and '-'. Returns the id. INVALID_ARGUMENT, reason
// NAME_INVALID.
absl::StatusOr<std::string> ParseResourceName(std::string_view name, std::string_view collection);
std::string ResourceName(std::string_view collection, std::string_view id);

// ByteStream names: "blobs/{sha256}/{size}" and "uploads/{uuid}/blobs/{sha256}/{size}".
struct UploadName {
  std::string uuid;  // 1 … 64 letters, digits, '-'
  BlobDigest digest;
};
absl::StatusOr<BlobDigest> ParseReadName(std::string_view name);
absl::StatusOr<UploadName> ParseUploadName(std::string_view name);
std::string ReadName(const BlobDigest& digest);
std::string UploadNameText(const UploadName& upload);

// Whether `key` may be the key of a label: 1 … limits::kMaxLabelKeyBytes lower-case letters, digits, '-', '_', '.'.
bool IsLabelKey(std::string_view key);

// A path inside a manifest: relative, '/' separated, no empty, "." or ".." part, no control character or backslash, at
// most limits::kMaxPathBytes. INVALID_ARGUMENT, reason MANIFEST_PATH_INVALID.
absl::Status CheckManifestPath(std::string_view path);

}  // namespace bitwright
