#include "workers/sensitivity/end_curvature.h"

#include <cmath>

#include "proto/base/status_macros.h"
#include "workers/sensitivity/curvature_file.h"
#include "workers/sensitivity/sensitivity_errors.h"

namespace bitwright::worker {
namespace {

constexpr char kEmbedding[] = "embedding/G";
constexpr char kHeadInput[] = "head/H";
constexpr char kHeadRows[] = "head/G";
constexpr char kTokens[] = "tokens";

void Scale(double factor, std::span<float> values) {
  for (float& value : values) value = static_cast<float>(factor * value);
}

TensorDeclaration Declare(const char* name, size_t size) { return {name, DType::kF32, {static_cast<int64_t>(size)}}; }

}  // namespace

HeadCurvature::HeadCurvature(const BlockRunner& runner)
    : runner_(runner),
      inputs_(runner.model().config().hidden, runner.device()),
      rows_(static_cast<size_t>(runner.model().config().vocab)) {}

OutputHead::LogitsTap HeadCurvature::Tap() {
  return [this](const Matrix& hidden, const Matrix& dlogits) { Add(hidden, dlogits); };
}

void HeadCurvature::Add(const Matrix& hidden, const Matrix& dlogits) {
  inputs_.Add(hidden);
  const bool capped = runner_.model().config().head.soft_cap > 0;
  const size_t vocab = rows_.size();
  scratch_.resize(static_cast<size_t>(dlogits.rows) * vocab);
  runner_.device().Read(dlogits, scratch_);
  for (size_t i = 0; i < scratch_.size(); ++i) {
    const double d = scratch_[i];
    // d is p_v, but for the label that was drawn, where it is p_v − 1. A cap's slope is not known here.
    rows_[i % vocab] += capped ? d * d : d < 0 ? -d * (1 + d) : d * (1 - d);
  }
}

void HeadCurvature::Finish(EndCurvature& to) {
  const HeadSpec& head = runner_.model().config().head;
  to.head = inputs_.Finish();
  to.head_rows.clear();
  const double share = head.factor * head.factor / static_cast<double>(to.head->rows);
  for (const double row : rows_) to.head_rows.push_back(static_cast<float>(share * row));
}

InputStatistics EmbeddingCurvature(const BlockRunner& runner, const Matrix& entering) {
  SecondMoment moment(entering.columns, runner.device());
  moment.Add(entering);
  InputStatistics statistics = moment.Finish();
  const double factor = runner.model().config().embedding.factor;
  Scale(factor * factor, statistics.second_moment.span());
  return statistics;
}

absl::Status WriteEnds(const std::string& path, const EndCurvature& ends, int64_t tokens) {
  std::vector<TensorDeclaration> tensors;
  std::vector<std::span<const float>> values;
  const auto add = [&](const char* name, std::span<const float> of_tensor) {
    tensors.push_back(Declare(name, of_tensor.size()));
    values.push_back(of_tensor);
  };
  if (ends.embedding) add(kEmbedding, ends.embedding->second_moment.span());
  if (ends.head) add(kHeadInput, ends.head->second_moment.span());
  if (ends.head) add(kHeadRows, ends.head_rows);
  tensors.push_back({kTokens, DType::kI64, {1}});
  ABSL_ASSIGN_OR_RETURN(SafetensorsWriter writer, SafetensorsWriter::Create(path, std::move(tensors), {}));
  for (const auto& of_tensor : values) ABSL_RETURN_IF_ERROR(writer.Append(of_tensor.data(), of_tensor.size_bytes()));
  ABSL_RETURN_IF_ERROR(writer.Append(&tokens, sizeof tokens));
  return writer.Close();
}

absl::StatusOr<EndFiles> EndFiles::Open(const std::vector<std::string>& paths) {
  EndFiles files;
  for (const std::string& path : paths) {
    ABSL_ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::Open(path, "ends"));
    files.files_.push_back(std::move(file));
  }
  return files;
}

absl::StatusOr<std::vector<double>> EndFiles::Mean(const std::string& name, int64_t size, double* tokens) const {
  std::vector<double> sums(static_cast<size_t>(size));
  std::vector<float> values(sums.size());
  double all = 0;
  for (const SafetensorsFile& file : files_) {
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end()) continue;
    const TensorView& view = found->second;
    if (view.dtype != DType::kF32 || view.elements() != size) return CurvatureDamagedError(name);
    ABSL_ASSIGN_OR_RETURN(const int64_t own, TokensOf(file));
    ToFloat(view, values);
    for (size_t i = 0; i < sums.size(); ++i) {
      if (!std::isfinite(values[i])) return CurvatureDamagedError(name);
      sums[i] += static_cast<double>(own) * values[i];
    }
    all += static_cast<double>(own);
  }
  if (all == 0) return CurvatureDamagedError(name);
  for (double& sum : sums) sum /= all;
  if (tokens != nullptr) *tokens = all;
  return sums;
}

absl::StatusOr<InputStatistics> EndFiles::Moment(const std::string& name, int64_t hidden) const {
  InputStatistics statistics;
  double tokens = 0;
  ABSL_ASSIGN_OR_RETURN(const std::vector<double> mean, Mean(name, PackedTriangleSize(hidden), &tokens));
  statistics.columns = hidden;
  statistics.rows = static_cast<int64_t>(tokens);
  statistics.second_moment = Buffer<float>(static_cast<int64_t>(mean.size()));
  for (size_t i = 0; i < mean.size(); ++i) statistics.second_moment.span()[i] = static_cast<float>(mean[i]);
  return statistics;
}

absl::StatusOr<InputStatistics> EndFiles::EmbeddingMoment(int64_t hidden) const { return Moment(kEmbedding, hidden); }

absl::StatusOr<InputStatistics> EndFiles::HeadMoment(int64_t hidden) const { return Moment(kHeadInput, hidden); }

absl::StatusOr<std::vector<double>> EndFiles::HeadRows(int64_t vocab) const {
  ABSL_ASSIGN_OR_RETURN(std::vector<double> rows, Mean(kHeadRows, vocab, nullptr));
  for (const double row : rows) {
    if (row < 0) return CurvatureDamagedError(kHeadRows);
  }
  return rows;
}

}  // namespace bitwright::worker
