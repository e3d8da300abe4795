#include "workers/choices/grade.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace bitwright::worker {
namespace {

// The first of the highest.
int HighestOf(const std::vector<double>& values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

v1::ChoiceMetric Metric(const char* name, int64_t right, int64_t all) {
  v1::ChoiceMetric metric;
  const double n = static_cast<double>(all), share = static_cast<double>(right) / n;
  metric.set_name(name);
  metric.set_value(share);
  // Of n numbers that are 0 or 1: Σ (x − mean)² = n · share · (1 − share).
  if (all > 1) metric.set_standard_error(std::sqrt(share * (1 - share) / (n - 1)));
  return metric;
}

bool HasNormalized(v1::ChoiceTask task) { return task != v1::WINOGRANDE && task != v1::BOOLQ; }

}  // namespace

v1::ChoiceGrade Grade(v1::ChoiceTask task, std::span<const AnsweredQuestion> questions) {
  int64_t right = 0, right_normalized = 0;
  for (const AnsweredQuestion& question : questions) {
    std::vector<double> normalized = question.log_likelihoods;
    for (size_t c = 0; c < normalized.size(); ++c) normalized[c] /= question.characters[c];
    right += HighestOf(question.log_likelihoods) == question.answer ? 1 : 0;
    right_normalized += HighestOf(normalized) == question.answer ? 1 : 0;
  }
  v1::ChoiceGrade grade;
  const int64_t all = static_cast<int64_t>(questions.size());
  grade.set_task(task);
  grade.set_questions(static_cast<int32_t>(all));
  *grade.add_metrics() = Metric("acc", right, all);
  if (HasNormalized(task)) *grade.add_metrics() = Metric("acc_norm", right_normalized, all);
  return grade;
}

}  // namespace bitwright::worker
