#include "workers/calibrate/statistics_file.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "proto/base/status_macros.h"
#include "workers/calibrate/calibrate_errors.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kMoment = "/H";

Buffer<float> CopyFloats(const TensorView& view) {
  Buffer<float> copy(view.elements());
  ToFloat(view, copy.span());
  return copy;
}

}  // namespace

absl::StatusOr<StatisticsWriter> StatisticsWriter::Create(const std::string& path, const std::vector<Input>& inputs) {
  std::vector<TensorDeclaration> tensors;
  for (const Input& input : inputs) {
    tensors.push_back({input.unit + "/H", DType::kF32, {PackedTriangleSize(input.columns)}});
    tensors.push_back({input.unit + "/rows", DType::kI64, {1}});
  }
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(tensors), {}));
  return StatisticsWriter(std::move(writer));
}

absl::Status StatisticsWriter::Append(const InputStatistics& input) {
  ABSL_RETURN_IF_ERROR(writer_.Append(input.second_moment.data(),
                                      static_cast<size_t>(PackedTriangleSize(input.columns)) * sizeof(float)));
  return writer_.Append(&input.rows, sizeof input.rows);
}

absl::Status StatisticsWriter::Close() { return writer_.Close(); }

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

absl::StatusOr<int64_t> StatisticsFile::Columns(const std::string& unit) const {
  ABSL_ASSIGN_OR_RETURN(const TensorView moment, file_.Find(unit + "/H"));
  const std::optional<int64_t> columns = PackedTriangleOrder(moment.elements());
  if (moment.dtype != DType::kF32 || !columns) return StatisticsDamagedError(unit);
  return *columns;
}

absl::StatusOr<InputStatistics> StatisticsFile::Read(const std::string& unit) const {
  InputStatistics input;
  ABSL_ASSIGN_OR_RETURN(input.columns, Columns(unit));
  ABSL_ASSIGN_OR_RETURN(input.rows, Rows(unit));
  ABSL_ASSIGN_OR_RETURN(const TensorView moment, file_.Find(unit + "/H"));
  input.second_moment = CopyFloats(moment);
  file_.Release(moment.bytes);
  return input;
}

absl::StatusOr<std::vector<StatisticsWriter::Input>> InputsOf(const StatisticsFile& file) {
  std::vector<StatisticsWriter::Input> inputs;
  for (const std::string& unit : file.units()) {
    ABSL_ASSIGN_OR_RETURN(const int64_t columns, file.Columns(unit));
    inputs.push_back({unit, columns});
  }
  return inputs;
}

absl::Status MergeStatistics(const std::vector<StatisticsFile>& shards,
                             const std::function<absl::Status(InputStatistics)>& done) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<StatisticsWriter::Input> inputs, InputsOf(shards.front()));
  for (const auto& [unit, columns] : inputs) {
    InputStatistics merged;
    merged.columns = columns;
    {
      // Σ rows_i · H_i / Σ rows_i; 0 where there is no row.
      Buffer<double> sums(PackedTriangleSize(columns));
      std::fill_n(sums.data(), sums.size(), 0.0);
      for (const StatisticsFile& shard : shards) {
        ABSL_ASSIGN_OR_RETURN(const InputStatistics part, shard.Read(unit));
        if (part.columns != columns) return StatisticsDamagedError(unit);
        for (int64_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(part.rows) * part.second_moment[i];
        merged.rows += part.rows;
      }
      const double rows = std::max(static_cast<double>(merged.rows), 1.0);
      merged.second_moment = Buffer<float>(sums.size());
      for (int64_t i = 0; i < sums.size(); ++i) merged.second_moment[i] = static_cast<float>(sums[i] / rows);
    }
    ABSL_RETURN_IF_ERROR(done(std::move(merged)));
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
