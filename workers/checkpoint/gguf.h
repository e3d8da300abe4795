#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/base/files.h"
#include "workers/checkpoint/gguf_metadata.h"
#include "workers/checkpoint/gguf_tensors.h"

namespace bitwright::worker {

// A GGUF file, opened as hostile input and mapped. Layout (ggml-org/ggml, docs/gguf.md), all little endian: "GGUF",
// u32 version, u64 count of tensors, u64 count of metadata entries; the entries (key, kind, value); of each tensor its
// name, u32 number of dimensions, u64 dimensions with the fastest first, u32 type and u64 offset in the data part;
// zeros up to a multiple of the alignment; the data part, each tensor padded likewise. Everything declared is checked
// against the file before any tensor is handed out: see the functions that read them. What the metadata mean is not
// looked at, but for general.alignment. Thread-safe once open.
class GgufFile {
 public:
  static constexpr std::string_view kMagic = "GGUF";
  static constexpr uint32_t kVersion = 3;       // written
  static constexpr uint32_t kLeastVersion = 2;  // read; differs from 3 only in that 3 allows big endian, refused here
  static constexpr std::string_view kAlignmentKey = "general.alignment";
  static constexpr int64_t kDefaultAlignment = 32;
  static constexpr int64_t kLeastAlignment = 8;

  // `shown_name` names the file in errors. INVALID_ARGUMENT: see gguf_errors.h. Errors of MappedFile.
  static absl::StatusOr<GgufFile> Open(const std::string& path, std::string_view shown_name);

  uint32_t version() const { return version_; }
  int64_t alignment() const { return alignment_; }
  const GgufMetadata& metadata() const { return metadata_; }
  // In the order of the file. Bytes are views into the mapping; they live as long as this object or a copy of it.
  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  // TENSOR_MISSING when the file has no such tensor.
  absl::StatusOr<GgufTensor> Find(const std::string& name) const;

  // All of the file: bytes().first(header_bytes()) is what precedes the padding before the data part.
  std::span<const std::byte> bytes() const { return file_->bytes(); }
  size_t header_bytes() const { return header_bytes_; }

  // As MappedFile has it, for a part of bytes().
  void WillNeed(std::span<const std::byte> part) const { file_->WillNeed(part); }
  void Release(std::span<const std::byte> part) const { file_->Release(part); }

 private:
  std::shared_ptr<const MappedFile> file_;
  uint32_t version_ = 0;
  int64_t alignment_ = kDefaultAlignment;
  size_t header_bytes_ = 0;
  GgufMetadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string, size_t> index_;
};

}  // namespace bitwright::worker
