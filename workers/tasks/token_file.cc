#include "workers/tasks/token_file.h"

#include <cstring>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/safetensors.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

struct Column {
  const char* name;
  std::vector<double> TokenStats::*values;
};
constexpr Column kColumns[] = {
    {"kl", &TokenStats::kl},
    {"nll_base", &TokenStats::nll_base},
    {"nll_quantized", &TokenStats::nll_quantized},
    {"p_delta", &TokenStats::p_delta},
};
constexpr char kTop1[] = "top1_same";

}  // namespace

absl::Status WriteTokenStats(const std::string& path, const TokenStats& stats) {
  std::vector<TensorDeclaration> tensors;
  for (const Column& column : kColumns) tensors.push_back({column.name, DType::kF64, {stats.size()}});
  tensors.push_back({kTop1, DType::kU8, {stats.size()}});
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(tensors), {}));
  for (const Column& column : kColumns) {
    ABSL_RETURN_IF_ERROR(writer.Append((stats.*column.values).data(), (stats.*column.values).size() * sizeof(double)));
  }
  ABSL_RETURN_IF_ERROR(writer.Append(stats.top1_same.data(), stats.top1_same.size()));
  return writer.Close();
}

absl::Status AppendTokenStats(const std::string& path, TokenStats& stats) {
  ABSL_ASSIGN_OR_RETURN(const SafetensorsFile file, SafetensorsFile::Open(path, "tokens"));
  ABSL_ASSIGN_OR_RETURN(const TensorView top1, file.Find(kTop1));
  const size_t tokens = top1.bytes.size();
  for (const Column& column : kColumns) {
    ABSL_ASSIGN_OR_RETURN(const TensorView view, file.Find(column.name));
    if (view.dtype != DType::kF64 || view.bytes.size() != tokens * sizeof(double)) {
      return TokenColumnsDifferError();
    }
    std::vector<double>& values = stats.*column.values;
    const size_t before = values.size();
    values.resize(before + tokens);
    if (tokens > 0) std::memcpy(values.data() + before, view.bytes.data(), view.bytes.size());
  }
  const auto* first = reinterpret_cast<const uint8_t*>(top1.bytes.data());
  stats.top1_same.insert(stats.top1_same.end(), first, first + tokens);
  return absl::OkStatus();
}

}  // namespace bitwright::worker
