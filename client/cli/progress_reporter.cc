#include "client/cli/progress_reporter.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "proto/report/job_progress.h"
#include "proto/report/number_text.h"

namespace bitwright::client {
namespace {

constexpr absl::Duration kBetweenDrawings = absl::Milliseconds(80);
constexpr absl::Duration kTick = absl::Seconds(1);
constexpr absl::Duration kLongestSilence = absl::Seconds(9);  // and a tick: ten seconds at most

winsize TerminalSize() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
  if (size.ws_row == 0) size.ws_row = 24;
  return size;
}

}  // namespace

ProgressReporter::ProgressReporter(Console& console, bool animate, const Clock& clock)
    : console_(console), animate_(animate && !console.style().quiet), clock_(clock) {}

void ProgressReporter::Begin() {
  if (ticker_.joinable() || console_.style().quiet) return;
  stop_ = false;
  said_at_ = clock_.Monotonic();
  ticker_ = std::thread([this] { Run(); });
}

void ProgressReporter::Run() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stop_), kTick)) return;
    }
    Tick();
  }
}

void ProgressReporter::Tick() {
  absl::MutexLock lock(&mutex_);
  if (animate_) {
    if (drawn_lines_ > 0) Draw(true);
  } else if (clock_.Monotonic() - said_at_ >= kLongestSilence) {
    Say(StateLine());
  }
}

void ProgressReporter::Say(const std::string& line) {
  console_.Note(line);
  said_at_ = clock_.Monotonic();
}

void ProgressReporter::SayWaiting(const std::string& waiting) {
  if (waiting == waiting_) return;
  waiting_ = waiting;
  if (!animate_ && !waiting.empty()) Say("waiting: " + waiting);
}

std::string ProgressReporter::StateLine() const {
  if (job_.name().empty() || phase_ == static_cast<int>(TransferProgress::Phase::kDownload)) {
    return TransferLine(transfer_);
  }
  const std::string state = absl::StrCat(job_.name(), ": ", ProgressText(job_, clock_.Now()));
  return waiting_.empty() ? state : absl::StrCat(state, "; waiting: ", waiting_);
}

void ProgressReporter::Transfer(const TransferProgress& progress) {
  absl::MutexLock lock(&mutex_);
  Begin();
  const int phase = static_cast<int>(progress.phase);
  const bool begins = phase != phase_;
  phase_ = phase;
  transfer_ = progress;
  if (!animate_) {
    if (begins) Say(TransferMessage(progress));
    SayWaiting(Printable(progress.waiting, 1000));
    return;
  }
  SayWaiting(Printable(progress.waiting, 1000));
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
  Begin();
  phase_ = -1;
  if (!animate_) {
    if (job_.name() != job.name()) {
      job_.Clear();
      Say(absl::StrCat(job.name(), ": ", v1::Job::State_Name(job.state())));
    }
    for (const std::string& line : StageMessages(job_, job)) Say(line);
    job_ = job;
    SayWaiting(WaitingText(job.waiting()));
    return;
  }
  for (ProgressBar& bar : before_job_) bar.done = true;
  job_ = job;
  SayWaiting(WaitingText(job.waiting()));
  Draw(false);
}

void ProgressReporter::Warn(const std::string& text) {
  absl::MutexLock lock(&mutex_);
  if (std::find(warned_.begin(), warned_.end(), text) != warned_.end()) return;
  warned_.push_back(text);
  if (animate_ && drawn_lines_ > 0) {
    to_warn_.push_back(text);
  } else {
    console_.Warning(text);
  }
}

void ProgressReporter::Finish() {
  std::thread ended;
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
    std::swap(ended, ticker_);
  }
  if (ended.joinable()) ended.join();
  absl::MutexLock lock(&mutex_);
  if (dirty_) Draw(true);
  for (const std::string& text : to_warn_) console_.Warning(text);
  to_warn_.clear();
  drawn_lines_ = 0;
  before_job_.clear();
  after_job_.clear();
  job_.Clear();
  waiting_.clear();
  phase_ = -1;
}

std::vector<ProgressBar> ProgressReporter::AllBars() const {
  std::vector<ProgressBar> bars = before_job_;
  for (ProgressBar& bar : JobBars(job_, clock_.Now())) bars.push_back(std::move(bar));
  bars.insert(bars.end(), after_job_.begin(), after_job_.end());
  if (!waiting_.empty()) bars.push_back({"waiting: " + waiting_, 0, "", false, /*only_label=*/true});
  return bars;
}

void ProgressReporter::Draw(bool now) {
  const MonotonicTime time = clock_.Monotonic();
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
