#include "proto/base/failpoint.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "proto/base/base_errors.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"

namespace bitwright {
namespace {

// Sorted. A name that is not here is refused: a schedule with a misspelt one would prove nothing.
constexpr std::string_view kNames[] = {
    "agent.before_report",  "agent.before_upload", "agent.child_start",   "agent.executed",     "agent.fetch",
    "agent.heartbeat",      "agent.leased",        "agent.registered",    "agent.reported",     "agent.uploaded",
    "blob.before_publish",  "blob.before_rename",  "blob.before_row",     "blob.fsync",         "blob.read",
    "blob.write",           "child.executed",      "child.progress",      "child.start",        "child.task",
    "collection.unlink",    "completion.answer",   "completion.received", "failure.received",   "heartbeat.received",
    "lease.answer",         "server.listening",    "server.opened",       "store.after_commit", "store.before_commit",
    "transfer.before_move", "transfer.chunk",      "transfer.read",       "transfer.write",     "upload.message"};

enum class Action { kCrash, kStop, kDelay, kError };

struct Point {
  Action action = Action::kCrash;
  int error = 0;
  absl::Duration delay;
  int64_t nth = 0;                    // 0: not by count
  std::optional<double> probability;  // nothing: not by chance
  uint64_t random = 0;
  int64_t reached = 0;
};

struct Armed {
  absl::Mutex mutex;
  std::string schedule ABSL_GUARDED_BY(mutex);
  std::map<std::string, Point, std::less<>> points ABSL_GUARDED_BY(mutex);
};

// Never deleted: threads may reach points while the process ends.
Armed& State() {
  static Armed& state = *new Armed;
  return state;
}

// splitmix64 (Steele, Lea, Flood, 2014): any seed is a good one.
uint64_t NextRandom(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

bool ParseAction(absl::string_view text, Point& point) {
  int64_t milliseconds = 0;
  if (text == "crash") {
    point.action = Action::kCrash;
  } else if (text == "stop") {
    point.action = Action::kStop;
  } else if (absl::ConsumePrefix(&text, "delay=") && absl::SimpleAtoi(text, &milliseconds) && milliseconds >= 0) {
    point.action = Action::kDelay;
    point.delay = absl::Milliseconds(milliseconds);
  } else if (text == "error=EIO" || text == "error=ENOSPC") {
    point.action = Action::kError;
    point.error = text == "error=EIO" ? EIO : ENOSPC;
  } else {
    return false;
  }
  return true;
}

bool ParseWhen(absl::string_view text, uint64_t salt, Point& point) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ',');
  if (parts.size() == 1) return absl::SimpleAtoi(parts[0], &point.nth) && point.nth > 0;
  double probability = 0;
  if (parts.size() != 2 || !absl::SimpleAtod(parts[0], &probability) || !absl::SimpleAtoi(parts[1], &point.random)) {
    return false;
  }
  point.probability = probability;
  point.random += salt * 0x9e3779b97f4a7c15;
  return probability >= 0 && probability <= 1;
}

absl::Status ParseEntry(absl::string_view entry, uint64_t salt, std::map<std::string, Point, std::less<>>& points) {
  const std::pair<absl::string_view, absl::string_view> named = absl::StrSplit(entry, absl::MaxSplits('=', 1));
  const std::string_view name(named.first.data(), named.first.size());
  if (!std::binary_search(std::begin(kNames), std::end(kNames), name)) {
    return FailpointsInvalidError(std::string(entry), "no point has this name");
  }
  const std::pair<absl::string_view, absl::string_view> turn = absl::StrSplit(named.second, absl::MaxSplits('@', 1));
  Point point;
  if (!ParseAction(turn.first, point)) {
    return FailpointsInvalidError(std::string(entry),
                                  "the action is none of crash, stop, delay=MILLISECONDS, error=EIO, error=ENOSPC");
  }
  const bool has_turn = named.second.find('@') != absl::string_view::npos;
  if (has_turn && !ParseWhen(turn.second, salt, point)) {
    return FailpointsInvalidError(std::string(entry), "behind @ stands no count and no probability with a seed");
  }
  points[std::string(name)] = point;
  return absl::OkStatus();
}

bool IsItsTurn(Point& point) {
  point.reached += 1;
  if (point.nth > 0) return point.reached == point.nth;
  if (!point.probability) return true;
  return static_cast<double>(NextRandom(point.random) >> 11) * 0x1p-53 < *point.probability;
}

// By raise, which a confined process may still do.
int Act(std::string_view name, const Point& point) {
  LOG(WARNING) << "failpoint " << name << ", time " << point.reached;
  switch (point.action) {
    case Action::kCrash:
      ::raise(SIGKILL);
      ::_exit(137);
    case Action::kStop:
      ::raise(SIGSTOP);
      return 0;
    case Action::kDelay:
      absl::SleepFor(point.delay);
      return 0;
    case Action::kError:
      return point.error;
  }
  return 0;
}

}  // namespace

std::atomic<bool> Failpoints::armed_{false};

absl::Status Failpoints::Arm(std::string_view schedule, uint64_t salt) {
  std::map<std::string, Point, std::less<>> points;
  for (const absl::string_view entry :
       absl::StrSplit(absl::string_view(schedule.data(), schedule.size()), ';', absl::SkipEmpty())) {
    ABSL_RETURN_IF_ERROR(ParseEntry(entry, salt, points));
  }
  Armed& state = State();
  absl::MutexLock lock(&state.mutex);
  armed_ = !points.empty();
  state.schedule = schedule;
  state.points = std::move(points);
  return absl::OkStatus();
}

std::string Failpoints::Schedule() {
  Armed& state = State();
  absl::MutexLock lock(&state.mutex);
  return state.schedule;
}

int Failpoints::Reach(std::string_view name) {
  Point turn;
  {
    Armed& state = State();
    absl::MutexLock lock(&state.mutex);
    const auto found = state.points.find(name);
    if (found == state.points.end() || !IsItsTurn(found->second)) return 0;
    turn = found->second;
  }
  return Act(name, turn);
}

}  // namespace bitwright
