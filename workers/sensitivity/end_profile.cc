#include "workers/sensitivity/end_profile.h"

#include <algorithm>
#include <numeric>

#include "proto/base/status_macros.h"
#include "proto/contract/memory_cuts.h"

namespace bitwright::worker {
namespace {

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// One of the ways in which an error of an end's rows costs: Σ_t weight_t · ΔW_t M ΔW_tᵀ / 2.
struct Metric {
  DeviceMatrix moment;          // [hidden, hidden]
  std::vector<double> weights;  // of the rows looked at, scaled to stand for all
};

std::vector<double> Frequencies(std::span<const int32_t> ids, int64_t vocab) {
  std::vector<double> counts(static_cast<size_t>(vocab), 0.5);
  for (const int32_t id : ids) counts[static_cast<size_t>(id)] += 1;
  const double all = static_cast<double>(ids.size()) + 0.5 * static_cast<double>(vocab);
  for (double& count : counts) count /= all;
  return counts;
}

// Those of the rows looked at, which then stand for all.
std::vector<double> Sampled(const std::vector<double>& all, const std::vector<int64_t>& rows) {
  std::vector<double> own;
  own.reserve(rows.size());
  for (const int64_t row : rows) own.push_back(all[static_cast<size_t>(row)]);
  const double sum = std::accumulate(own.begin(), own.end(), 0.0);
  if (sum == 0) return own;
  const double scale = std::accumulate(all.begin(), all.end(), 0.0) / sum;
  for (double& weight : own) weight *= scale;
  return own;
}

class EndPricing {
 public:
  EndPricing(const Model& model, Device& device, const EndFiles& files, std::span<const int32_t> ids)
      : model_(model), device_(device), files_(files), ids_(ids) {
    const int64_t vocab = model.config().vocab, step = std::max<int64_t>(1, (vocab + kEndRows - 1) / kEndRows);
    for (int64_t row = 0; row < vocab; row += step) rows_.push_back(row);
  }

  absl::StatusOr<UnitProfile> Price(const EndUnit& end, const ProfileOptions& options) {
    UnitProfile profile;
    profile.unit = end.unit.name;
    ABSL_ASSIGN_OR_RETURN(const std::vector<Metric> metrics, Metrics(end));
    ABSL_ASSIGN_OR_RETURN(const InputStatistics moment, EndMoment(end, files_, model_.config()));
    RoundingOptions rounding = options.rounding;
    rounding.storage_type = model_.UnitType(end.unit);
    rounding.steps = options.rounding.priced_steps;
    const std::vector<Format> formats = options.formats(end.unit);
    rounding.on_grids = AnyOnGrid(formats);
    ABSL_ASSIGN_OR_RETURN(const UnitRounder rounder, UnitRounder::Create(moment, rounding, device_));
    const DeviceMatrix weights = Weights(end);
    const DeviceMatrix values(device_, DType::kF32, weights.view().rows, weights.view().columns);
    for (const Format& format : formats) {
      const QuantizedLinear quantized = rounder.Round(weights.view(), weights.view(), format);
      WriteValues(quantized, format, rounding.storage_type, device_, values.view());
      UnitProfile::Option option{format, quantized.loss(), 0};
      for (const Metric& metric : metrics) option.predicted += Loss(weights.view(), values.view(), metric);
      profile.options.push_back(option);
    }
    return profile;
  }

 private:
  absl::StatusOr<std::vector<Metric>> Metrics(const EndUnit& end) const {
    const int64_t hidden = model_.config().hidden, vocab = model_.config().vocab;
    std::vector<Metric> metrics;
    if (end.embeds) {
      ABSL_ASSIGN_OR_RETURN(const InputStatistics moment, files_.EmbeddingMoment(hidden));
      metrics.push_back({Full(moment), Sampled(Frequencies(ids_, vocab), rows_)});
    }
    if (end.heads) {
      ABSL_ASSIGN_OR_RETURN(const InputStatistics moment, files_.HeadMoment(hidden));
      ABSL_ASSIGN_OR_RETURN(const std::vector<double> weights, files_.HeadRows(vocab));
      metrics.push_back({Full(moment), Sampled(weights, rows_)});
    }
    return metrics;
  }

  DeviceMatrix Full(const InputStatistics& moment) const {
    DeviceMatrix full(device_, DType::kF32, moment.columns, moment.columns);
    device_.Write(moment.Full().span(), full.view());
    return full;
  }

  DeviceMatrix Weights(const EndUnit& end) const {
    DeviceMatrix weights(device_, DType::kF32, static_cast<int64_t>(rows_.size()), model_.config().hidden);
    if (rows_.size() == static_cast<size_t>(model_.config().vocab)) {
      LoadEndRows(model_, end, 0, device_, weights.view());
      return weights;
    }
    for (size_t r = 0; r < rows_.size(); ++r) {
      LoadEndRows(model_, end, rows_[r], device_, weights.view().Rows(static_cast<int64_t>(r), 1));
    }
    return weights;
  }

  double Loss(const Matrix& weights, const Matrix& values, const Metric& metric) const {
    const std::vector<double> rows = device_.rounding().MomentLosses(weights, values, metric.moment.view());
    double loss = 0;
    for (size_t r = 0; r < rows.size(); ++r) loss += metric.weights[r] * rows[r] / 2;
    return loss;
  }

  const Model& model_;
  Device& device_;
  const EndFiles& files_;
  std::span<const int32_t> ids_;
  std::vector<int64_t> rows_;  // that are looked at
};

}  // namespace

absl::StatusOr<InputStatistics> EndMoment(const EndUnit& end, const EndFiles& files, const ModelConfig& config) {
  if (!end.heads) return files.EmbeddingMoment(config.hidden);
  ABSL_ASSIGN_OR_RETURN(InputStatistics head, files.HeadMoment(config.hidden));
  if (!end.embeds) return head;
  ABSL_ASSIGN_OR_RETURN(const InputStatistics embedding, files.EmbeddingMoment(config.hidden));
  ABSL_ASSIGN_OR_RETURN(const std::vector<double> rows, files.HeadRows(config.vocab));
  const double of_head = Mean(rows), of_embedding = 1 / static_cast<double>(config.vocab);
  const std::span<float> to = head.second_moment.span();
  const std::span<const float> from = embedding.second_moment.span();
  for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(of_head * to[i] + of_embedding * from[i]);
  return head;
}

absl::StatusOr<std::vector<UnitProfile>> ProfileEnds(const Model& model, Device& device, const EndFiles& files,
                                                     std::span<const int32_t> ids, const ProfileOptions& options,
                                                     const std::function<void(double)>& progress) {
  EndPricing pricing(model, device, files, ids);
  std::vector<UnitProfile> profiles;
  const std::vector<EndUnit> ends = EndUnits(model);
  for (const EndUnit& end : ends) {
    ABSL_ASSIGN_OR_RETURN(UnitProfile profile, pricing.Price(end, options));
    profiles.push_back(std::move(profile));
    progress(static_cast<double>(profiles.size()) / static_cast<double>(ends.size()));
  }
  return profiles;
}

}  // namespace bitwright::worker
