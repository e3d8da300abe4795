#include "workers/tasks/manifest_writer.h"

#include "bitwright/v1/blobs.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/base/files.h"

namespace bitwright::worker {

std::string ManifestWriter::NewFile(const std::string& path) {
  return places_[path] = io_.NewOutput(ArtifactFileName(path));
}

absl::Status ManifestWriter::Note(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(places_.at(path)));
  Sha256 hash;
  const auto bytes = file->bytes();
  ForMappedParts(bytes, [&](std::span<const std::byte> part) {
    hash.Update(part.data(), part.size());
    file->Release(part);
  });
  digests_[path] = {hash.Finish(), static_cast<int64_t>(bytes.size())};
  return absl::OkStatus();
}

absl::Status ManifestWriter::Add(const std::string& path, std::string_view text) {
  ABSL_RETURN_IF_ERROR(WriteFile(NewFile(path), text));
  digests_[path] = DigestOf(text);
  return absl::OkStatus();
}

absl::Status ManifestWriter::Copy(const std::string& path, const MappedFile& file) {
  ABSL_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::Create(NewFile(path)));
  Sha256 hash;
  absl::Status status;
  ForMappedParts(file.bytes(), [&](std::span<const std::byte> part) {
    if (status.ok()) status = writer.Append(part.data(), part.size());
    hash.Update(part.data(), part.size());
    file.Release(part);
  });
  ABSL_RETURN_IF_ERROR(status);
  digests_[path] = {hash.Finish(), static_cast<int64_t>(file.bytes().size())};
  return writer.Close();
}

std::map<std::string, std::string> ManifestWriter::Sums() const {
  std::map<std::string, std::string> sums;
  for (const auto& [path, digest] : digests_) sums[path] = digest.sha256;
  return sums;
}

absl::Status ManifestWriter::Finish() {
  v1::Manifest manifest;
  for (const auto& [path, digest] : digests_) {
    v1::FileEntry& entry = *manifest.add_files();
    entry.set_path(path);
    *entry.mutable_digest() = ToProto(digest);
  }
  return io_.WriteProto(TaskFile::kManifest, manifest);
}

}  // namespace bitwright::worker
