#include "workers/calibrate/statistics_file.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "proto/base/status_macros.h"
#include "workers/calibrate/calibrate_errors.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kMoment = "/H";

// Σ rows_i · H_i / Σ rows_i, in f64, shards in order; 0 where there is no row.
Buffer<float> WeightedMean(const std::vector<InputStatistics>& shards) {
  double rows = 0;
  for (const InputStatistics& shard : shards) rows += static_cast<double>(shard.rows);
  rows = std::max(rows, 1.0);
  Buffer<float> mean(shards.front().second_moment.size());
  for (int64_t i = 0; i < mean.size(); ++i) {
    double sum = 0;
    for (const InputStatistics& shard : shards) sum += static_cast<double>(shard.rows) * shard.second_moment[i];
    mean[i] = static_cast<float>(sum / rows);
  }
  return mean;
}

Buffer<float> CopyFloats(const TensorView& view) {
  Buffer<float> copy(view.elements());
  ToFloat(view, copy.span());
  return copy;
}

}  // namespace

absl::Status WriteStatistics(const std::string& path, const std::vector<UnitStatistics>& units) {
  std::vector<TensorDeclaration> tensors;
  for (const UnitStatistics& unit : units) {
    tensors.push_back({unit.unit + "/H", DType::kF32, {PackedTriangleSize(unit.input.columns)}});
    tensors.push_back({unit.unit + "/rows", DType::kI64, {1}});
  }
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(tensors), {}));
  for (const UnitStatistics& unit : units) {
    const InputStatistics& input = unit.input;
    ABSL_RETURN_IF_ERROR(writer.Append(input.second_moment.data(),
                                       static_cast<size_t>(PackedTriangleSize(input.columns)) * sizeof(float)));
    ABSL_RETURN_IF_ERROR(writer.Append(&input.rows, sizeof input.rows));
  }
  return writer.Close();
}

absl::StatusOr<StatisticsFile> StatisticsFile::Open(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(path, "statistics"));
  return StatisticsFile(std::move(file));
}

std::vector<std::string> StatisticsFile::units() const {
  std::vector<std::string> names;
  for (const auto& [name, view] : file_.tensors()) {
    if (name.ends_with(kMoment)) names.push_back(name.substr(0, name.size() - kMoment.size()));
  }
  return names;
}

absl::StatusOr<int64_t> StatisticsFile::Rows(const std::string& unit) const {
  ABSL_ASSIGN_OR_RETURN(const TensorView view, file_.Find(unit + "/rows"));
  if (view.dtype != DType::kI64 || view.elements() != 1) return StatisticsDamagedError(unit);
  int64_t rows = 0;
  std::memcpy(&rows, view.bytes.data(), sizeof rows);
  return rows < 0 ? StatisticsDamagedError(unit) : absl::StatusOr<int64_t>(rows);
}

absl::StatusOr<InputStatistics> StatisticsFile::Read(const std::string& unit) const {
  ABSL_ASSIGN_OR_RETURN(const TensorView moment, file_.Find(unit + "/H"));
  const std::optional<int64_t> columns = PackedTriangleOrder(moment.elements());
  if (moment.dtype != DType::kF32 || !columns) return StatisticsDamagedError(unit);
  InputStatistics input;
  input.columns = *columns;
  ABSL_ASSIGN_OR_RETURN(input.rows, Rows(unit));
  input.second_moment = CopyFloats(moment);
  return input;
}

absl::Status MergeStatistics(const std::vector<StatisticsFile>& shards, const std::string& out_path) {
  std::vector<UnitStatistics> merged;
  for (const std::string& unit : shards.front().units()) {
    std::vector<InputStatistics> parts;
    for (const StatisticsFile& shard : shards) {
      ABSL_ASSIGN_OR_RETURN(InputStatistics part, shard.Read(unit));
      if (!parts.empty() && part.columns != parts.front().columns) return StatisticsDamagedError(unit);
      parts.push_back(std::move(part));
    }
    InputStatistics& to = merged.emplace_back(UnitStatistics{unit, {}}).input;
    to.columns = parts.front().columns;
    for (const InputStatistics& part : parts) to.rows += part.rows;
    to.second_moment = WeightedMean(parts);
  }
  return WriteStatistics(out_path, merged);
}

}  // namespace bitwright::worker
