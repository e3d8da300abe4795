#include "client/cli/progress_reporter.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

#include "absl/strings/str_cat.h"

namespace bitwright::client {
namespace {

constexpr absl::Duration kBetweenDrawings = absl::Milliseconds(80);

winsize TerminalSize() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
  if (size.ws_row == 0) size.ws_row = 24;
  return size;
}

}  // namespace

void ProgressReporter::Transfer(const TransferProgress& progress) {
  absl::MutexLock lock(&mutex_);
  const int phase = static_cast<int>(progress.phase);
  const bool begins = phase != phase_;
  phase_ = phase;
  if (!animate_) {
    if (begins) console_.Note(TransferMessage(progress));
    return;
  }
  auto& bars = progress.phase == TransferProgress::Phase::kDownload ? after_job_ : before_job_;
  // Inspection has no count of its own: it ends when the next thing begins.
  if (begins) {
    for (ProgressBar& bar : bars) bar.done = true;
  }
  const ProgressBar bar = TransferBar(progress);
  const auto same = std::find_if(bars.begin(), bars.end(), [&](const ProgressBar& b) { return b.label == bar.label; });
  if (same == bars.end()) {
    bars.push_back(bar);
  } else {
    *same = bar;
  }
  Draw(begins);
}

void ProgressReporter::Job(const v1::Job& job) {
  absl::MutexLock lock(&mutex_);
  if (!animate_) {
    if (job_.name().empty()) console_.Note(absl::StrCat(job.name(), ": ", v1::Job::State_Name(job.state())));
    for (const std::string& line : StageMessages(job_, job)) console_.Note(line);
    job_ = job;
    return;
  }
  for (ProgressBar& bar : before_job_) bar.done = true;
  job_ = job;
  Draw(false);
}

void ProgressReporter::Finish() {
  absl::MutexLock lock(&mutex_);
  if (dirty_) Draw(true);
  drawn_lines_ = 0;
  before_job_.clear();
  after_job_.clear();
  job_.Clear();
  phase_ = -1;
}

std::vector<ProgressBar> ProgressReporter::AllBars() const {
  std::vector<ProgressBar> bars = before_job_;
  for (ProgressBar& bar : JobBars(job_)) bars.push_back(std::move(bar));
  bars.insert(bars.end(), after_job_.begin(), after_job_.end());
  return bars;
}

void ProgressReporter::Draw(bool now) {
  const MonotonicTime time = kSystemClock.Monotonic();
  dirty_ = true;
  if (!now && time - drawn_at_ < kBetweenDrawings) return;
  const winsize size = TerminalSize();
  std::vector<ProgressBar> bars = AllBars();
  // More lines than the terminal has could not be redrawn; the oldest go first.
  const size_t most = std::max<size_t>(size.ws_row - 1, 1);
  if (bars.size() > most) bars.erase(bars.begin(), bars.end() - static_cast<std::ptrdiff_t>(most));
  std::string text = drawn_lines_ > 0 ? absl::StrCat("\033[", drawn_lines_, "A") : "";
  text += "\033[J";
  const auto lines = RenderBars(bars, size.ws_col - 1, console_.style().color);
  for (const std::string& line : lines) text += line + "\n";
  console_.err() << text << std::flush;
  drawn_lines_ = static_cast<int>(lines.size());
  drawn_at_ = time;
  dirty_ = false;
}

}  // namespace bitwright::client
