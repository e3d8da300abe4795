#include "proto/contract/names.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/contract/contract_errors.h"
#include "proto/contract/limits.h"

namespace bitwright {
namespace {

bool IsIdChar(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }
bool IsUuidChar(char c) { return IsIdChar(c) || (c >= 'A' && c <= 'Z'); }

}  // namespace

absl::StatusOr<std::string> ParseResourceName(std::string_view name, std::string_view collection) {
  const std::string form = std::string(collection) + "/{id}";
  if (!name.starts_with(collection) || name.size() <= collection.size() + 1 || name[collection.size()] != '/') {
    return NameInvalidError(name, form);
  }
  const std::string_view id = name.substr(collection.size() + 1);
  if (id.size() > 63 || !std::all_of(id.begin(), id.end(), IsIdChar)) return NameInvalidError(name, form);
  return std::string(id);
}

std::string ResourceName(std::string_view collection, std::string_view id) {
  return std::string(collection) + "/" + std::string(id);
}

absl::StatusOr<BlobDigest> ParseReadName(std::string_view name) {
  constexpr std::string_view kPrefix = "blobs/";
  if (!name.starts_with(kPrefix)) return NameInvalidError(name, "blobs/{sha256}/{size}");
  return ParseDigest(name.substr(kPrefix.size()));
}

absl::StatusOr<UploadName> ParseUploadName(std::string_view name) {
  constexpr std::string_view kForm = "uploads/{uuid}/blobs/{sha256}/{size}";
  constexpr std::string_view kPrefix = "uploads/";
  if (!name.starts_with(kPrefix)) return NameInvalidError(name, kForm);
  const std::string_view rest = name.substr(kPrefix.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash > 64) return NameInvalidError(name, kForm);
  const std::string_view uuid = rest.substr(0, slash);
  if (!std::all_of(uuid.begin(), uuid.end(), IsUuidChar)) return NameInvalidError(name, kForm);
  ABSL_ASSIGN_OR_RETURN(BlobDigest digest, ParseReadName(rest.substr(slash + 1)));
  return UploadName{std::string(uuid), std::move(digest)};
}

std::string ReadName(const BlobDigest& digest) { return "blobs/" + digest.ToString(); }

std::string UploadNameText(const UploadName& upload) {
  return "uploads/" + upload.uuid + "/" + ReadName(upload.digest);
}

bool IsLabelKey(std::string_view key) {
  return !key.empty() && key.size() <= limits::kMaxLabelKeyBytes && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

absl::Status CheckManifestPath(std::string_view path) {
  if (path.empty()) return ManifestPathInvalidError(path, "is empty");
  if (path.size() > limits::kMaxPathBytes) return ManifestPathInvalidError(path, "is longer than 255 bytes");
  if (path.front() == '/') return ManifestPathInvalidError(path, "is absolute");
  for (const unsigned char c : path) {
    if (c < 0x20 || c == 0x7f || c == '\\')
      return ManifestPathInvalidError(path, "has a control character or a backslash");
  }
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty()) return ManifestPathInvalidError(path, "has an empty part");
    if (part == "." || part == "..") return ManifestPathInvalidError(path, "has a '" + std::string(part) + "' part");
    begin = end + 1;
  }
  return absl::OkStatus();
}

}  // namespace bitwright
