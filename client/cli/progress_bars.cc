#include "client/cli/progress_bars.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "proto/report/job_progress.h"
#include "proto/report/number_text.h"

namespace bitwright::client {
namespace {

using Phase = TransferProgress::Phase;

constexpr size_t kLabelColumns = 10;
constexpr int kWidestBar = 30;

std::string PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kHash:
      return "hash";
    case Phase::kUpload:
      return "upload";
    case Phase::kInspect:
      return "inspect";
    case Phase::kDownload:
      return "download";
  }
  return "";
}

std::string Plural(int count, std::string_view noun) {
  return absl::StrCat(count, " ", std::string(noun), count == 1 ? "" : "s");
}

bool Begun(const v1::Stage& stage) { return stage.running() > 0 || stage.finished() > 0; }
bool Done(const v1::Stage& stage) { return stage.tasks() > 0 && stage.finished() >= stage.tasks(); }

std::string StageDetail(const v1::Stage& stage) {
  std::string text = absl::StrCat(stage.finished(), "/", Plural(stage.tasks(), "task"));
  if (stage.cached() > 0) absl::StrAppend(&text, ", ", stage.cached(), " cached");
  if (stage.seconds() > 0) absl::StrAppend(&text, ", ", SecondsText(stage.seconds()));
  return text;
}

const v1::Stage* Find(const v1::Job& job, const std::string& kind) {
  const auto& stages = job.stages();
  const auto it = std::find_if(stages.begin(), stages.end(), [&](const v1::Stage& s) { return s.kind() == kind; });
  return it == stages.end() ? nullptr : &*it;
}

std::string RenderBar(const ProgressBar& bar, int columns, bool color) {
  if (bar.only_label) return Printable(bar.label, static_cast<size_t>(std::max(columns - 1, 1)));
  std::string label = Printable(bar.label, kLabelColumns - 1);
  label += std::string(kLabelColumns - std::min(kLabelColumns, Columns(label)), ' ');
  const double fraction = std::isfinite(bar.fraction) ? std::clamp(bar.fraction, 0.0, 1.0) : 0.0;
  // 100 % is kept for what is finished.
  const int percent = bar.done ? 100 : std::min(99, static_cast<int>(fraction * 100));
  const std::string number = absl::StrCat(percent < 10 ? "  " : percent < 100 ? " " : "", percent, " %");
  const int around = static_cast<int>(kLabelColumns + 2 + 1 + number.size());  // label, brackets, space, number
  const int bar_columns = std::min(kWidestBar, columns - around);
  if (columns < 20 || bar_columns < 3) {
    return Printable(bar.label, static_cast<size_t>(std::max(columns - 1, 1)))
        .substr(0, static_cast<size_t>(std::max(columns, 0)));
  }
  const int filled = bar.done ? bar_columns : static_cast<int>(fraction * bar_columns);
  std::string line = label + "[";
  if (color) line += bar.done ? "\033[32m" : "\033[36m";
  line += std::string(static_cast<size_t>(filled), '=');
  if (color) line += "\033[0m";
  line += std::string(static_cast<size_t>(bar_columns - filled), ' ') + "] " + number;
  const int left = columns - around - bar_columns - 2;
  if (!bar.detail.empty() && static_cast<int>(Columns(bar.detail)) <= left) line += "  " + bar.detail;
  return line;
}

}  // namespace

ProgressBar TransferBar(const TransferProgress& progress) {
  const bool counted = progress.phase != Phase::kInspect;
  const bool done = counted && progress.done_bytes >= progress.total_bytes;
  const double fraction = progress.total_bytes > 0 && counted
                              ? static_cast<double>(progress.done_bytes) / static_cast<double>(progress.total_bytes)
                              : (done ? 1.0 : 0.0);
  std::string detail = Plural(progress.files, "file");
  if (counted && progress.files > 0) {
    absl::StrAppend(&detail, ", ", BytesText(progress.done_bytes), " of ", BytesText(progress.total_bytes));
  }
  if (progress.phase == Phase::kUpload && progress.files == 0) detail = "the server has everything";
  return {PhaseName(progress.phase), fraction, detail, done};
}

std::vector<ProgressBar> JobBars(const v1::Job& job, absl::Time now) {
  std::vector<ProgressBar> bars;
  if (!job.name().empty()) {
    const std::string elapsed = ElapsedText(job, now);
    const std::string remaining = RemainingText(job);
    bars.push_back({"job", PercentDone(job) / 100.0,
                    elapsed + (elapsed.empty() || remaining.empty() ? "" : ", ") + remaining,
                    job.state() == v1::Job::SUCCEEDED});
  }
  for (const v1::Stage& stage : job.stages()) {
    bars.push_back({stage.kind(), stage.fraction(), StageDetail(stage), Done(stage)});
  }
  return bars;
}

std::vector<std::string> RenderBars(std::span<const ProgressBar> bars, int columns, bool color) {
  std::vector<std::string> lines;
  for (const ProgressBar& bar : bars) lines.push_back(RenderBar(bar, columns, color));
  return lines;
}

std::string TransferMessage(const TransferProgress& progress) {
  const std::string what = absl::StrCat(Plural(progress.files, "file"), ", ", BytesText(progress.total_bytes));
  switch (progress.phase) {
    case Phase::kHash:
      return "hash: " + what;
    case Phase::kUpload:
      return progress.files == 0 ? "upload: the server has everything" : "upload: " + what;
    case Phase::kInspect:
      return "inspect: the server checks the model";
    case Phase::kDownload:
      return "download: " + what;
  }
  return "";
}

std::string TransferLine(const TransferProgress& progress) {
  const ProgressBar bar = TransferBar(progress);
  if (progress.phase != Phase::kInspect) return bar.label + ": " + bar.detail;
  const std::string waiting = Printable(progress.waiting, 1000);
  return waiting.empty() ? "inspect: goes on" : "inspect: waiting: " + waiting;
}

std::vector<std::string> StageMessages(const v1::Job& before, const v1::Job& now) {
  std::vector<std::string> lines;
  for (const v1::Stage& stage : now.stages()) {
    const v1::Stage* old = Find(before, stage.kind());
    const std::string kind = Printable(stage.kind(), 40);
    if (Done(stage)) {
      if (old == nullptr || !Done(*old)) lines.push_back(absl::StrCat(kind, ": done, ", StageDetail(stage)));
    } else if (Begun(stage) && (old == nullptr || !Begun(*old))) {
      lines.push_back(absl::StrCat(kind, ": started, ", Plural(stage.tasks(), "task")));
    }
  }
  return lines;
}

}  // namespace bitwright::client
