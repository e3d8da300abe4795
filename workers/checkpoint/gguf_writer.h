#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/base/files.h"
#include "workers/checkpoint/ggml_types.h"
#include "workers/checkpoint/gguf_settings.h"

namespace bitwright::worker {

// ggml keeps a name with a NUL in 64 bytes, and refuses files with longer ones.
inline constexpr size_t kMaxWrittenGgufNameBytes = 63;

// What GgufWriter needs to know of a tensor before its bytes. The shape is row-major.
struct GgufDeclaration {
  std::string name;
  std::vector<int64_t> shape;
  GgmlType type;
};

// All of a file but the bytes of its tensors: the same settings and declarations, in the same order, give the same
// file.
struct GgufPlan {
  std::string header;  // with the padding before the data part
  size_t padding = 0;  // how much of the header that is
  int64_t alignment = 0;
  std::vector<int64_t> tensor_bytes;  // without padding
  int64_t file_bytes = 0;  // exactly, with the padding after each tensor, the last one included, as ggml has it
};

// Lays out a file of version 3. `shown_name` names it in errors. GGUF_NAME_TOO_LONG. Bugs of the caller: a key or a
// name twice, a shape that does not fit its type, an alignment that is none (see GgufFile).
absl::StatusOr<GgufPlan> PlanGguf(std::string_view shown_name, std::span<const GgufSetting> settings,
                                  std::span<const GgufDeclaration> tensors);

// Writes a GGUF file front to back: the plan, then the data of each tensor in the declared order. Not thread-safe.
class GgufWriter {
 public:
  static absl::StatusOr<GgufWriter> Create(const std::string& path, const GgufPlan& plan);
  // The whole data of the next tensor, and its padding. A wrong size is a bug of the caller.
  absl::Status Append(std::span<const std::byte> data);
  // The same, part by part; `written` is told of each, so that a mapped one can be given back.
  absl::Status Append(std::span<const std::byte> data,
                      const std::function<void(std::span<const std::byte> part)>& written);
  // The same, of a tensor whose data lies in several places: what comes next of it. The last ends with the padding.
  absl::Status AppendSome(std::span<const std::byte> data,
                          const std::function<void(std::span<const std::byte> part)>& written);
  absl::Status Close();  // all tensors must have been appended

 private:
  GgufWriter(FileWriter writer, const GgufPlan& plan)
      : writer_(std::move(writer)), tensor_bytes_(plan.tensor_bytes), alignment_(plan.alignment) {}
  FileWriter writer_;
  std::vector<int64_t> tensor_bytes_;
  int64_t alignment_;
  size_t next_ = 0;
  int64_t some_ = 0;  // bytes of the next tensor that have been appended
};

}  // namespace bitwright::worker
