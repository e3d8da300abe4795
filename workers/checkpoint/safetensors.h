#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/base/files.h"
#include "workers/checkpoint/model_files.h"
#include "workers/tensor/tensor.h"

namespace bitwright::worker {

// A safetensors file, opened as hostile input and mapped. Layout (huggingface/safetensors): u64 LE header size, a JSON
// header {name: {dtype, shape, data_offsets}, "__metadata__": {string: string}}, then the data part.
// Everything declared is checked against the file before any tensor is handed out: header ≤ 100 MB, no duplicate keys,
// known dtypes, checked multiplication, ranges that cover the data part from 0 to its end without hole or overlap.
// Thread-safe once open.
class SafetensorsFile {
 public:
  static constexpr int64_t kMaxHeaderBytes = 100'000'000;

  // `shown_name` names the file in errors (its path within the model). INVALID_ARGUMENT: see checkpoint_errors.h.
  // TASK_SPEC_INVALID: the header is not among the pieces of the file.
  static absl::StatusOr<SafetensorsFile> Open(const ModelFile& file, std::string_view shown_name);

  // Views into the mapping; they live as long as this object or a copy of it.
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // All of the file: bytes().first(header_bytes()) is the header with its size.
  std::span<const std::byte> bytes() const { return file_->bytes(); }
  size_t header_bytes() const { return header_bytes_; }

  // As MappedFile has it, for a part of bytes().
  bool Holds(std::span<const std::byte> part) const { return file_->Holds(part); }
  void WillNeed(std::span<const std::byte> part) const { file_->WillNeed(part); }
  void Release(std::span<const std::byte> part) const { file_->Release(part); }

  // TENSOR_MISSING when the file has no such tensor.
  absl::StatusOr<TensorView> Find(const std::string& name) const;

 private:
  std::shared_ptr<const MappedFile> file_;
  size_t header_bytes_ = 0;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// What SafetensorsWriter needs to know of a tensor before its bytes.
struct TensorDeclaration {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;

  int64_t bytes() const { return ByteSize(dtype, shape); }
};

// Bytes of the header (size word included, padded to 8) of a file with these tensors in this order.
std::string SafetensorsHeader(const std::vector<TensorDeclaration>& tensors,
                              const std::map<std::string, std::string>& metadata);

// Writes a safetensors file front to back: declare all, then append the data of each in the declared order.
class SafetensorsWriter {
 public:
  static absl::StatusOr<SafetensorsWriter> Create(const std::string& path, std::vector<TensorDeclaration> tensors,
                                                  const std::map<std::string, std::string>& metadata);
  // The whole data of the next tensor. A wrong size is a bug of the caller.
  absl::Status Append(const void* data, size_t size);
  // The same, part by part; `written` is told of each, so that a mapped one can be given back.
  absl::Status Append(std::span<const std::byte> data,
                      const std::function<void(std::span<const std::byte> part)>& written);
  // The same, of a tensor that is made a piece at a time: what comes next of it.
  absl::Status AppendSome(std::span<const std::byte> data);
  absl::Status Close();  // all tensors must have been appended

 private:
  void Next(size_t size);  // of the data that is appended
  SafetensorsWriter(FileWriter writer, std::vector<TensorDeclaration> tensors)
      : writer_(std::move(writer)), tensors_(std::move(tensors)) {}
  FileWriter writer_;
  std::vector<TensorDeclaration> tensors_;
  size_t next_ = 0;
  int64_t some_ = 0;  // bytes of the next tensor that have been appended
};

}  // namespace bitwright::worker
