#include "proto/report/job_progress.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "proto/base/wire_time.h"
#include "proto/report/number_text.h"

namespace bitwright {

int PercentDone(const v1::Job& job) {
  if (job.state() == v1::Job::SUCCEEDED) return 100;
  const double progress = std::isfinite(job.progress()) ? std::clamp(job.progress(), 0.0, 1.0) : 0.0;
  return std::min(99, static_cast<int>(100 * progress));
}

std::string ElapsedText(const v1::Job& job, absl::Time now) {
  if (!job.has_start_time()) return "";
  const absl::Time end = job.has_end_time() ? FromProto(job.end_time()) : now;
  // The clocks of two machines may differ.
  const absl::Duration elapsed = std::max(end - FromProto(job.start_time()), absl::ZeroDuration());
  return SecondsText(absl::ToDoubleSeconds(elapsed));
}

std::string RemainingText(const v1::Job& job) {
  if (job.state() != v1::Job::RUNNING || !job.has_remaining()) return "";
  const double seconds = absl::ToDoubleSeconds(FromProto(job.remaining()));
  return absl::StrCat("about ", SecondsText(std::max(1.0, std::round(seconds))), " left");
}

std::string ProgressText(const v1::Job& job, absl::Time now) {
  std::string text = absl::StrCat(PercentDone(job), " %");
  for (const std::string& part : {ElapsedText(job, now), RemainingText(job)}) {
    if (!part.empty()) absl::StrAppend(&text, ", ", part);
  }
  return text;
}

std::string WaitingText(const v1::Notice& waiting) {
  if (waiting.reason().empty() && waiting.message().empty()) return "";
  std::string text = Printable(waiting.message(), 1000);
  if (!waiting.reason().empty())
    absl::StrAppend(&text, text.empty() ? "[" : " [", Printable(waiting.reason(), 60), "]");
  return text;
}

}  // namespace bitwright
