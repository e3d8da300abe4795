#include "workers/checkpoint/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/gguf_errors.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<uint32_t> ReadVersion(GgufCursor& cursor) {
  ABSL_ASSIGN_OR_RETURN(const std::string_view magic, cursor.Bytes(GgufFile::kMagic.size(), "the magic"));
  if (magic != GgufFile::kMagic) return GgufMagicWrongError(cursor.file(), magic);
  ABSL_ASSIGN_OR_RETURN(const uint32_t version, cursor.Number<uint32_t>("the version"));
  if (version < GgufFile::kLeastVersion || version > GgufFile::kVersion) {
    return GgufVersionUnsupportedError(cursor.file(), version);
  }
  return version;
}

// ggml reads the alignment as u32 and nothing else.
absl::StatusOr<int64_t> AlignmentOf(std::string_view file, const GgufMetadata& metadata) {
  constexpr std::string_view kKey = GgufFile::kAlignmentKey;
  if (!metadata.Has(kKey)) return GgufFile::kDefaultAlignment;
  ABSL_ASSIGN_OR_RETURN(const GgufValue value, metadata.Find(kKey));
  if (value.kind != GgufKind::kU32) {
    return GgufAlignmentInvalidError(file, "of kind " + std::string(GgufKindName(value.kind)));
  }
  uint32_t alignment = 0;
  std::memcpy(&alignment, value.encoded.data(), sizeof alignment);
  if (!std::has_single_bit(alignment) || alignment < GgufFile::kLeastAlignment) {
    return GgufAlignmentInvalidError(file, std::to_string(alignment));
  }
  return static_cast<int64_t>(alignment);
}

}  // namespace

absl::StatusOr<GgufFile> GgufFile::Open(const std::string& path, std::string_view shown_name) {
  GgufFile opened;
  ABSL_ASSIGN_OR_RETURN(opened.file_, MappedFile::Open(path));
  GgufCursor cursor(shown_name, opened.file_->text());
  ABSL_ASSIGN_OR_RETURN(opened.version_, ReadVersion(cursor));
  ABSL_ASSIGN_OR_RETURN(const uint64_t tensors, cursor.Count("tensors", kLeastGgufTensorBytes, kMaxGgufTensors));
  ABSL_ASSIGN_OR_RETURN(const uint64_t entries,
                        cursor.Count("metadata entries", GgufMetadata::kLeastEntryBytes, GgufMetadata::kMaxEntries));
  ABSL_ASSIGN_OR_RETURN(opened.metadata_, GgufMetadata::Read(cursor, entries));
  ABSL_ASSIGN_OR_RETURN(opened.alignment_, AlignmentOf(shown_name, opened.metadata_));
  ABSL_ASSIGN_OR_RETURN(opened.tensors_, ReadGgufTensors(cursor, tensors));
  opened.header_bytes_ = cursor.at();

  // A file without tensors may end with its header.
  const auto bytes = opened.bytes();
  const int64_t begin = GgufPadded(static_cast<int64_t>(cursor.at()), opened.alignment_);
  const auto data = bytes.subspan(std::min(static_cast<size_t>(begin), bytes.size()));
  ABSL_RETURN_IF_ERROR(PlaceGgufTensors(shown_name, data, opened.alignment_, opened.tensors_));
  for (size_t i = 0; i < opened.tensors_.size(); ++i) opened.index_.emplace(opened.tensors_[i].name, i);
  return opened;
}

absl::StatusOr<GgufTensor> GgufFile::Find(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) return TensorMissingError(name, "is needed here");
  return tensors_[found->second];
}

}  // namespace bitwright::worker
