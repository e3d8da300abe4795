#include "workers/quantize/factor_file.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "proto/base/status_macros.h"
#include "proto/contract/memory_cuts.h"
#include "workers/calibrate/calibrate_errors.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker {
namespace {

constexpr char kActOrder[] = "act_order", kDamping[] = "damping";

std::map<std::string, std::string> MetadataOf(const FactorOptions& options) {
  return {{kActOrder, options.act_order ? "true" : "false"}, {kDamping, absl::StrFormat("%.17g", options.damping)}};
}

std::vector<TensorDeclaration> TensorsOf(const std::vector<StatisticsWriter::Input>& inputs) {
  std::vector<TensorDeclaration> tensors;
  for (const auto& [unit, columns] : inputs) {
    tensors.push_back({unit + "/M", DType::kF32, {PackedTriangleSize(columns)}});
    tensors.push_back({unit + "/order", DType::kI32, {columns}});
    tensors.push_back({unit + "/diagonal", DType::kF32, {columns}});
    tensors.push_back({unit + "/added", DType::kF64, {1}});
    tensors.push_back({unit + "/rows", DType::kI64, {1}});
  }
  return tensors;
}

// A tensor of exactly these elements.
template <typename T>
absl::Status ReadArray(const SafetensorsFile& file, const std::string& input, const char* name, DType dtype,
                       std::span<T> to) {
  ABSL_ASSIGN_OR_RETURN(const TensorView view, file.Find(input + name));
  if (view.dtype != dtype || view.bytes.size() != to.size_bytes()) return StatisticsDamagedError(input);
  std::memcpy(to.data(), view.bytes.data(), view.bytes.size());
  return absl::OkStatus();
}

// Whether an order names each column once.
bool IsPermutation(const std::vector<int32_t>& order) {
  std::vector<uint8_t> seen(order.size());
  for (const int32_t column : order) {
    if (column < 0 || column >= static_cast<int64_t>(order.size()) || seen[column] != 0) return false;
    seen[column] = 1;
  }
  return true;
}

// Everything but M and D.
absl::StatusOr<FactorHead> ReadHead(const SafetensorsFile& file, const std::string& input, int64_t columns,
                                    const FactorOptions& options) {
  FactorHead factor;
  factor.inputs = columns;
  factor.act_order = options.act_order;
  const size_t n = static_cast<size_t>(columns);
  factor.order.resize(n);
  factor.diagonal.resize(n);
  ABSL_RETURN_IF_ERROR(ReadArray(file, input, "/order", DType::kI32, std::span(factor.order)));
  ABSL_RETURN_IF_ERROR(ReadArray(file, input, "/diagonal", DType::kF32, std::span(factor.diagonal)));
  ABSL_RETURN_IF_ERROR(ReadArray(file, input, "/added", DType::kF64, std::span(&factor.added, 1)));
  if (!IsPermutation(factor.order)) return StatisticsDamagedError(input);
  for (float& value : factor.diagonal) {
    factor.dead.push_back(value == 0);
    if (value == 0) value = 1;
  }
  return factor;
}

}  // namespace

void BecomeIdentity(InputStatistics& statistics) {
  std::fill_n(statistics.second_moment.data(), statistics.second_moment.size(), 0.0f);
  for (int64_t i = 0; i < statistics.columns; ++i) {
    statistics.second_moment[PackedTriangleIndex(statistics.columns, i, i)] = 1;
  }
}

absl::StatusOr<RoundingInputsWriter> RoundingInputsWriter::Create(const std::string& path,
                                                                  const std::vector<StatisticsWriter::Input>& inputs,
                                                                  const std::optional<FactorOptions>& factoring,
                                                                  Device& device) {
  if (!factoring) {
    ABSL_ASSIGN_OR_RETURN(StatisticsWriter writer, StatisticsWriter::Create(path, inputs));
    return RoundingInputsWriter(std::move(writer));
  }
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer,
                        SafetensorsWriter::Create(path, TensorsOf(inputs), MetadataOf(*factoring)));
  return RoundingInputsWriter(Factors{std::move(writer), *factoring, &device});
}

absl::Status RoundingInputsWriter::Append(InputStatistics input) {
  if (auto* statistics = std::get_if<StatisticsWriter>(&writer_)) return statistics->Append(input);
  return std::get<Factors>(writer_).Append(std::move(input));
}

absl::Status RoundingInputsWriter::Factors::Append(InputStatistics input) {
  if (input.rows == 0) BecomeIdentity(input);
  const std::span<float> moment = input.second_moment.span();
  ABSL_ASSIGN_OR_RETURN(const FactorHead head, BeginFactor(moment, input.columns, options));
  ABSL_RETURN_IF_ERROR(FinishFactor(head, options.damping, *device, moment));
  std::vector<float> diagonal = head.diagonal;
  for (size_t j = 0; j < diagonal.size(); ++j) {
    if (head.dead[j] != 0) diagonal[j] = 0;
  }
  ABSL_RETURN_IF_ERROR(writer.Append(moment.data(), moment.size_bytes()));
  ABSL_RETURN_IF_ERROR(writer.Append(head.order.data(), head.order.size() * sizeof(int32_t)));
  ABSL_RETURN_IF_ERROR(writer.Append(diagonal.data(), diagonal.size() * sizeof(float)));
  ABSL_RETURN_IF_ERROR(writer.Append(&head.added, sizeof head.added));
  return writer.Append(&input.rows, sizeof input.rows);
}

absl::Status RoundingInputsWriter::Close() {
  if (auto* statistics = std::get_if<StatisticsWriter>(&writer_)) return statistics->Close();
  return std::get<Factors>(writer_).writer.Close();
}

bool HoldsFactors(const StatisticsFile& file) { return file.file().metadata().contains(kActOrder); }

absl::StatusOr<std::unique_ptr<DeviceFactor>> ReadFactor(const StatisticsFile& file, const std::string& input,
                                                         const FactorOptions& options, Device& device) {
  const SafetensorsFile& tensors = file.file();
  if (tensors.metadata() != MetadataOf(options)) return StatisticsDamagedError(input);
  ABSL_ASSIGN_OR_RETURN(const TensorView packed, tensors.Find(input + "/M"));
  const std::optional<int64_t> columns = PackedTriangleOrder(packed.elements());
  if (packed.dtype != DType::kF32 || !columns) return StatisticsDamagedError(input);
  ABSL_ASSIGN_OR_RETURN(FactorHead head, ReadHead(tensors, input, *columns, options));
  size_t read = 0, kept = 0;  // bytes; those before `kept` are given back
  return device.rounding().LoadFactor(std::move(head), [&](int64_t, std::span<float> to) {
    std::memcpy(to.data(), packed.bytes.data() + read, to.size_bytes());
    read += to.size_bytes();
    if (read - kept < static_cast<size_t>(kMappedPieceBytes) && read < packed.bytes.size()) return;
    tensors.Release(packed.bytes.subspan(kept, read - kept));
    kept = read;
  });
}

}  // namespace bitwright::worker
