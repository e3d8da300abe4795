#include "server/jobs/notices.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>

#include "proto/contract/limits.h"
#include "proto/contract/notices.h"
#include "proto/contract/task_names.h"

namespace bitwright::server {
namespace {

void AddNoticesOf(const char* use, const v1::Data& data, const std::optional<v1::TokenizeSummary>& summary,
                  std::vector<v1::Notice>& notices) {
  if (!summary) return;
  notices.insert(notices.end(), summary->notices().begin(), summary->notices().end());
  const int64_t wanted = data.tokens() / std::max(1, data.window());
  const int64_t windows = int64_t{summary->windows()} + summary->held_out_windows();
  if (windows >= wanted) return;
  const std::string found = std::to_string(windows * summary->window());
  notices.push_back(MakeNotice(
      "TEXT_SHORT", std::string("the ") + use + " text gives " + found + " tokens in whole windows, fewer than the " +
                        std::to_string(wanted * data.window()) + " that are wanted; all of them are used"));
}

// Runs of a summary's windows.
double Runs(const v1::TokenizeSummary& summary) {
  return static_cast<double>(summary.windows()) * std::max(1, summary.window() - limits::kSketchRun + 1);
}

}  // namespace

// Of the k smallest hashes of both together, the share that is in both estimates |A∩B| / |A∪B|. A sketch of fewer than
// kSketchSize hashes is the whole set.
double SharedPart(const v1::TokenizeSummary& calibration, const v1::TokenizeSummary& evaluation) {
  const auto& a = calibration.sketch();
  const auto& b = evaluation.sketch();
  std::vector<uint64_t> both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  if (both.empty()) return 0;
  const bool whole = a.size() < limits::kSketchSize && b.size() < limits::kSketchSize;
  if (!whole && both.size() > limits::kSketchSize) both.resize(limits::kSketchSize);
  const auto common = std::count_if(both.begin(), both.end(), [&](uint64_t hash) {
    return std::binary_search(a.begin(), a.end(), hash) && std::binary_search(b.begin(), b.end(), hash);
  });
  if (whole) return b.empty() ? 0 : static_cast<double>(common) / b.size();
  const double resemblance = static_cast<double>(common) / both.size();
  const double runs = Runs(evaluation);
  if (runs <= 0) return 0;
  return std::min(1.0, resemblance / (1 + resemblance) * (Runs(calibration) + runs) / runs);
}

std::vector<v1::Notice> DataNotices(const v1::JobSpec& spec, const Facts& facts) {
  std::vector<v1::Notice> notices;
  AddNoticesOf(TaskUse::kCalibration, spec.calibration(), facts.calibration, notices);
  AddNoticesOf(TaskUse::kEvaluation, spec.evaluation(), facts.evaluation, notices);
  if (spec.calibration().has_blob() && spec.calibration().blob().sha256() == spec.evaluation().blob().sha256()) {
    notices.push_back(MakeNotice("TEXTS_IDENTICAL",
                                 "calibration and evaluation read the same text: the measured loss is that of data "
                                 "which the plan was made for; evaluate on another text"));
  } else if (facts.calibration && facts.evaluation) {
    const double shared = SharedPart(*facts.calibration, *facts.evaluation);
    if (shared > kOverlapShare) {
      notices.push_back(
          MakeNotice("TEXTS_OVERLAP", "about " + std::to_string(std::lround(100 * shared)) +
                                          " % of the evaluation text is in the calibration text: the measured loss is "
                                          "too good by an unknown amount; evaluate on another text"));
    }
  }
  return notices;
}

}  // namespace bitwright::server
