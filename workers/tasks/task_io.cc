#include "workers/tasks/task_io.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/strings/str_format.h"
#include "proto/base/message_bytes.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/contract/memory_cuts.h"
#include "proto/contract/task_names.h"
#include "workers/base/checked.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/model/pieces.h"
#include "workers/tasks/spec_check.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

// Bytes [begin, end) · columns · 4 of an array of 4-byte elements.
absl::StatusOr<std::span<const std::byte>> Rows(const MappedFile& file, const std::string& name, int64_t begin,
                                                int64_t end, int64_t columns) {
  const int64_t size = static_cast<int64_t>(file.bytes().size());
  const std::optional<int64_t> needed = CheckedMul(end, columns);
  if (begin < 0 || end < begin || !needed || *needed > size / 4) {
    return TaskInputDamagedError(name, "has " + std::to_string(size) + " bytes, fewer than rows up to " +
                                           std::to_string(end) + " of " + std::to_string(columns) + " elements need");
  }
  return file.bytes().subspan(static_cast<size_t>(begin * columns * 4),
                              static_cast<size_t>((end - begin) * columns * 4));
}

// First rows and numbers of rows: pieces of a file that are in memory at a time.
std::vector<std::pair<int64_t, int64_t>> RowPieces(int64_t rows, int64_t columns) {
  const int64_t most = std::max<int64_t>(1, kMappedPieceBytes / (4 * std::max<int64_t>(1, columns)));
  std::vector<std::pair<int64_t, int64_t>> pieces;
  for (int64_t first = 0; first < rows; first += most) pieces.emplace_back(first, std::min(most, rows - first));
  return pieces;
}

}  // namespace

absl::Status CheckIds(std::span<const int32_t> ids, int64_t vocab, int64_t first) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocab) return TokenIdOutOfRangeError(first + static_cast<int64_t>(i), ids[i], vocab);
  }
  return absl::OkStatus();
}

Device& TaskIo::device() const {
  if (device_ != nullptr) return *device_;
  if (spec_.compute_class().empty() || !context_.make_device) {
    device_ = MakeCpuDevice(pool());
    return *device_;
  }
  absl::StatusOr<std::unique_ptr<Device>> made = context_.make_device(pool());
  if (!made.ok()) throw DeviceError(std::string(made.status().message()));
  device_ = *std::move(made);
  return *device_;
}

absl::StatusOr<std::string> TaskIo::InputPath(const std::string& name) const {
  std::string path = context_.input_path(name);
  if (path.empty()) return TaskInputMissingError(name);
  return path;
}

absl::StatusOr<std::shared_ptr<const MappedFile>> TaskIo::Input(const std::string& name) const {
  ABSL_ASSIGN_OR_RETURN(const std::string path, InputPath(name));
  return MappedFile::Open(path);
}

std::vector<std::string> TaskIo::InputNames(const std::string& prefix) const {
  std::vector<std::string> names;
  for (const auto& input : spec_.inputs()) {
    if (input.name().starts_with(prefix)) names.push_back(input.name());
  }
  return names;
}

absl::Status TaskIo::ReadProto(const std::string& name, google::protobuf::MessageLite& message) const {
  ABSL_ASSIGN_OR_RETURN(const auto file, Input(name));
  const auto bytes = file->bytes();
  if (static_cast<int64_t>(bytes.size()) > limits::kMaxInlineProtoBytes ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return TaskInputDamagedError(name, "is not a " + message.GetTypeName());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> TaskIo::InputPaths(const std::string& prefix) const {
  std::vector<std::string> paths;
  for (const std::string& name : InputNames(prefix)) {
    ABSL_ASSIGN_OR_RETURN(std::string path, InputPath(name));
    paths.push_back(std::move(path));
  }
  return paths;
}

ModelFiles TaskIo::Files() const {
  ModelFiles files;
  for (const v1::TaskInput& input : spec_.inputs()) {
    if (!input.name().starts_with(kModelFilePrefix)) continue;
    ModelFile file(context_.input_path(input.name()));
    file.size_bytes = static_cast<size_t>(input.digest().size_bytes());
    for (const v1::FilePiece& piece : input.pieces()) {
      const size_t offset = static_cast<size_t>(piece.offset()),
                   size = static_cast<size_t>(piece.digest().size_bytes());
      // Also of a file that is here whole: what a task does not name it does not read.
      file.pieces.push_back(file.path.empty()
                                ? MappedPiece{context_.piece_path(piece.digest().sha256()), 0, offset, size}
                                : MappedPiece{file.path, offset, offset, size});
    }
    files.emplace(input.name().substr(std::strlen(kModelFilePrefix)), std::move(file));
  }
  return files;
}

absl::StatusOr<Model> TaskIo::OpenModel() const {
  ABSL_ASSIGN_OR_RETURN(Model model, Model::Open(Files()));
  ABSL_RETURN_IF_ERROR(CheckSpecFits(spec_, model.config()));
  ABSL_RETURN_IF_ERROR(CheckParts(model, PartsReadBy(spec_, model.config().layers)));
  return model;
}

absl::StatusOr<DeviceMatrix> TaskIo::FloatRows(const std::string& name, int64_t rows, int64_t columns) const {
  ABSL_ASSIGN_OR_RETURN(const auto file, Input(name));
  ABSL_ASSIGN_OR_RETURN(const auto bytes, Rows(*file, name, 0, rows, columns));
  DeviceMatrix matrix(device(), DType::kF32, rows, columns);
  const TensorView view{DType::kF32, {rows, columns}, bytes};
  for (const auto& [first, count] : RowPieces(rows, columns)) {
    device().Load(view, first * columns, matrix.view().Rows(first, count));
    file->Release(bytes.subspan(static_cast<size_t>(first * columns * 4), static_cast<size_t>(count * columns * 4)));
  }
  return matrix;
}

absl::StatusOr<std::vector<int32_t>> TaskIo::IdRows(const std::string& name, int64_t begin, int64_t end, int64_t stride,
                                                    int64_t columns, int64_t vocab) const {
  ABSL_ASSIGN_OR_RETURN(const auto file, Input(name));
  std::vector<int32_t> ids;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t at = row * std::max<int64_t>(stride, 1);
    ABSL_ASSIGN_OR_RETURN(const auto bytes, Rows(*file, name, at, at + 1, columns));
    ids.resize(ids.size() + static_cast<size_t>(columns));
    std::memcpy(ids.data() + ids.size() - columns, bytes.data(), bytes.size());
  }
  ABSL_RETURN_IF_ERROR(CheckIds(ids, vocab));
  return ids;
}

absl::StatusOr<DeviceMatrix> TaskIo::EnteringStream(const BlockRunner& runner, const v1::Range& windows, int stride,
                                                    int64_t block) const {
  const ModelConfig& config = runner.model().config();
  if (block > 0) {
    return FloatRows(TaskFile::kActivations, int64_t{windows.end() - windows.begin()} * runner.window(), config.hidden);
  }
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                        IdRows(TaskFile::kIds, windows.begin(), windows.end(), stride, runner.window(), config.vocab));
  return runner.Embed(ids);
}

std::string TaskIo::NewOutput(const std::string& name) {
  const std::string file = absl::StrFormat("out-%05d", outputs_.size());
  outputs_.push_back({name, file});
  return context_.output_dir + "/" + file;
}

absl::Status TaskIo::WriteProto(const std::string& name, const google::protobuf::MessageLite& message) {
  return WriteFile(NewOutput(name), DeterministicBytes(message));
}

absl::Status TaskIo::WriteBytes(const std::string& name, const void* data, size_t size) {
  return WriteFile(NewOutput(name), std::string_view(static_cast<const char*>(data), size));
}

absl::Status TaskIo::WriteFloats(const std::string& name, const Matrix& matrix) {
  ABSL_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::Create(NewOutput(name)));
  std::vector<float> floats;
  for (const auto& [first, count] : RowPieces(matrix.rows, matrix.columns)) {
    floats.resize(static_cast<size_t>(count * matrix.columns));
    device().Read(matrix.Rows(first, count), floats);
    ABSL_RETURN_IF_ERROR(writer.Append(floats.data(), floats.size() * sizeof(float)));
  }
  return writer.Close();
}

Compute ComputeOf(int proto_compute_type) {
  return proto_compute_type == v1::COMPUTE_TYPE_BF16 ? Compute::kBf16 : Compute::kF32;
}

}  // namespace bitwright::worker
