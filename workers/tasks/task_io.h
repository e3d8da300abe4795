#pragma once

#include <google/protobuf/message_lite.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bitwright/v1/tasks.pb.h"
#include "workers/base/files.h"
#include "workers/checkpoint/model_files.h"
#include "workers/model/block_runner.h"
#include "workers/tasks/run_task.h"
#include "workers/tensor/buffer.h"

namespace bitwright::worker {

// Reading a task's inputs and writing its outputs: what every task kind needs, and nothing of any one kind.
class TaskIo {
 public:
  TaskIo(const v1::TaskSpec& spec, TaskContext& context) : spec_(spec), context_(context) {}

  ThreadPool& pool() const { return *context_.pool; }
  // The context's for numeric tasks, whose spec names a compute class; the processor for the others, whose results are
  // to be the same everywhere. Made when it is first asked for: who computes nothing waits for no device. Throws
  // DeviceError where it cannot be made.
  Device& device() const;
  void Progress(double fraction) const { context_.progress(fraction); }

  // Path of an input. INVALID_ARGUMENT, reason TASK_INPUT_MISSING.
  absl::StatusOr<std::string> InputPath(const std::string& name) const;
  absl::StatusOr<std::shared_ptr<const MappedFile>> Input(const std::string& name) const;
  // Names of inputs that begin with prefix, in order.
  std::vector<std::string> InputNames(const std::string& prefix) const;
  absl::StatusOr<std::vector<std::string>> InputPaths(const std::string& prefix) const;  // of the same
  // TASK_INPUT_DAMAGED when it does not parse.
  absl::Status ReadProto(const std::string& name, google::protobuf::MessageLite& message) const;

  // Inputs "model/{path}" as path → file.
  ModelFiles Files() const;
  // The model of these files, which the spec fits (spec_check.h) and whose bytes it names (pieces.h). Errors of
  // Model::Open and TASK_SPEC_INVALID.
  absl::StatusOr<Model> OpenModel() const;

  // The first `rows` rows of an f32 array input [any, columns], on the device. TASK_INPUT_DAMAGED when it is shorter.
  absl::StatusOr<DeviceMatrix> FloatRows(const std::string& name, int64_t rows, int64_t columns) const;
  // Rows begin · stride, (begin + 1) · stride … before end · stride of an i32 array input of ids, each in [0, vocab);
  // stride 0 means 1. TASK_INPUT_DAMAGED, TOKEN_ID_OUT_OF_RANGE.
  absl::StatusOr<std::vector<int32_t>> IdRows(const std::string& name, int64_t begin, int64_t end, int64_t stride,
                                              int64_t columns, int64_t vocab) const;

  // The residual stream of windows that enters a block: of "ids", embedded, before the first block; from "activations"
  // before a later one. Errors of IdRows and FloatRows.
  absl::StatusOr<DeviceMatrix> EnteringStream(const BlockRunner& runner, const v1::Range& windows, int stride,
                                              int64_t block) const;

  // Path for the file of a new output, which is then part of the result. File names are made here; output names may
  // hold '/'.
  std::string NewOutput(const std::string& name);
  absl::Status WriteProto(const std::string& name, const google::protobuf::MessageLite& message);
  absl::Status WriteBytes(const std::string& name, const void* data, size_t size);
  absl::Status WriteFloats(const std::string& name, const Matrix& matrix);  // row after row
  std::vector<TaskOutputFile> TakeOutputs() { return std::move(outputs_); }

 private:
  const v1::TaskSpec& spec_;
  TaskContext& context_;
  mutable std::unique_ptr<Device> device_;
  std::vector<TaskOutputFile> outputs_;
};

// Whether every id is in [0, vocab). TOKEN_ID_OUT_OF_RANGE, with its place, where `first` is that of the first.
absl::Status CheckIds(std::span<const int32_t> ids, int64_t vocab, int64_t first = 0);

// The forward pass's compute type of a recipe; unspecified means f32.
Compute ComputeOf(int proto_compute_type);

}  // namespace bitwright::worker
