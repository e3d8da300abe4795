#include "workers/sensitivity/curvature_file.h"

#include <cmath>
#include <cstring>

#include "proto/base/status_macros.h"
#include "workers/sensitivity/sensitivity_errors.h"

namespace bitwright::worker {
namespace {

constexpr char kTokens[] = "tokens";

}  // namespace

absl::StatusOr<int64_t> TokensOf(const SafetensorsFile& file) {
  ABSL_ASSIGN_OR_RETURN(const TensorView view, file.Find(kTokens));
  if (view.dtype != DType::kI64 || view.elements() != 1) return CurvatureDamagedError(kTokens);
  int64_t tokens = 0;
  std::memcpy(&tokens, view.bytes.data(), sizeof tokens);
  return tokens < 1 ? CurvatureDamagedError(kTokens) : absl::StatusOr<int64_t>(tokens);
}

absl::Status WriteCurvature(const std::string& path, const std::vector<UnitCurvature>& units, int64_t tokens) {
  std::vector<TensorDeclaration> tensors;
  tensors.reserve(units.size() + 1);
  for (const UnitCurvature& unit : units) {
    tensors.push_back({unit.unit + "/G", DType::kF32, {static_cast<int64_t>(unit.rows.size())}});
  }
  tensors.push_back({kTokens, DType::kI64, {1}});
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(tensors), {}));
  for (const UnitCurvature& unit : units) {
    ABSL_RETURN_IF_ERROR(writer.Append(unit.rows.data(), unit.rows.size() * sizeof(float)));
  }
  ABSL_RETURN_IF_ERROR(writer.Append(&tokens, sizeof tokens));
  return writer.Close();
}

absl::StatusOr<CurvatureFiles> CurvatureFiles::Open(const std::vector<std::string>& paths) {
  CurvatureFiles files;
  double all = 0;
  for (const std::string& path : paths) {
    ABSL_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(path, "curvature"));
    ABSL_ASSIGN_OR_RETURN(const int64_t tokens, TokensOf(file));
    files.parts_.push_back({std::move(file), static_cast<double>(tokens)});
    all += static_cast<double>(tokens);
  }
  for (Part& part : files.parts_) part.share /= all;
  return files;
}

absl::StatusOr<std::vector<double>> CurvatureFiles::Rows(const std::string& unit, int64_t out) const {
  std::vector<double> rows(static_cast<size_t>(out));
  std::vector<float> values(rows.size());
  for (const Part& part : parts_) {
    ABSL_ASSIGN_OR_RETURN(const TensorView view, part.file.Find(unit + "/G"));
    if (view.dtype != DType::kF32 || view.elements() != out) return CurvatureDamagedError(unit);
    ToFloat(view, values);
    for (size_t r = 0; r < rows.size(); ++r) {
      if (!(std::isfinite(values[r]) && values[r] >= 0)) return CurvatureDamagedError(unit);
      rows[r] += part.share * values[r];
    }
  }
  return rows;
}

}  // namespace bitwright::worker
