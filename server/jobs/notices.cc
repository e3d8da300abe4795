#include "server/jobs/notices.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>

#include "proto/contract/limits.h"
#include "proto/contract/notices.h"
#include "proto/contract/task_names.h"
#include "server/jobs/texts.h"

namespace bitwright::server {
namespace {

using Notices = std::vector<v1::Notice>;

void AddShort(const std::string& name, const v1::Data& data, const v1::TokenizeSummary::Text& text, Notices& notices) {
  const int64_t wanted = data.tokens() / std::max(1, data.window());
  const int64_t windows = int64_t{text.windows()} + text.held_out_windows();
  if (windows >= wanted) return;
  const std::string found = std::to_string(windows * data.window());
  notices.push_back(
      MakeNotice("TEXT_SHORT", "the " + name + " gives " + found + " tokens in whole windows, fewer than the " +
                                   std::to_string(wanted * data.window()) + " that are wanted; all of them are used"));
}

// Of the texts of one tokenization.
void AddTokenized(const v1::TokenizeSummary& summary, Notices& notices) {
  notices.insert(notices.end(), summary.notices().begin(), summary.notices().end());
}

bool CalibratesOn(const v1::JobSpec& spec, const v1::Data& text) {
  return text.has_blob() && std::ranges::any_of(spec.calibration(), [&](const v1::Data& data) {
           return data.blob().sha256() == text.blob().sha256();
         });
}

// Whether an evaluation text is, or is in, the calibration text.
void AddShared(const v1::JobSpec& spec, const Facts& facts, int text, Notices& notices) {
  const std::string name = TextName(TaskUse::kEvaluation, text, spec.evaluation_size());
  if (CalibratesOn(spec, spec.evaluation(text))) {
    const bool one = spec.calibration_size() == 1 && spec.evaluation_size() == 1;
    notices.push_back(
        MakeNotice("TEXTS_IDENTICAL",
                   (one ? "calibration and evaluation read the same text" : "the " + name + " is calibrated on, too") +
                       ": the measured loss is that of data which the plan was made for; evaluate on another text"));
    return;
  }
  const size_t place = static_cast<size_t>(text);
  if (!facts.calibration || place >= facts.evaluation.size() || !facts.evaluation[place]) return;
  const double shared = SharedPart(*facts.calibration, *facts.evaluation[place]);
  if (shared <= kOverlapShare) return;
  notices.push_back(MakeNotice("TEXTS_OVERLAP",
                               "about " + std::to_string(std::lround(100 * shared)) + " % of the " + name +
                                   " is in the calibration text: the measured loss is too good by an unknown amount; "
                                   "evaluate on another text"));
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
  Notices notices;
  if (facts.calibration) {
    AddTokenized(*facts.calibration, notices);
    const int texts = spec.calibration_size();
    for (int t = 0; t < texts; ++t) {
      AddShort(TextName(TaskUse::kCalibration, t, texts), spec.calibration(t), PartOf(*facts.calibration, t, texts),
               notices);
    }
  }
  const int texts = spec.evaluation_size();
  for (int t = 0; t < texts; ++t) {
    if (static_cast<size_t>(t) >= facts.evaluation.size() || !facts.evaluation[static_cast<size_t>(t)]) continue;
    const v1::TokenizeSummary& summary = *facts.evaluation[static_cast<size_t>(t)];
    AddTokenized(summary, notices);
    AddShort(TextName(TaskUse::kEvaluation, t, texts), spec.evaluation(t), PartOf(summary, 0, 1), notices);
  }
  for (int t = 0; t < texts; ++t) AddShared(spec, facts, t, notices);
  return notices;
}

}  // namespace bitwright::server
