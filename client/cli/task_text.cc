#include "client/cli/task_text.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/api/foreign_status.h"
#include "proto/base/errors.h"
#include "proto/report/number_text.h"
#include "proto/report/text_table.h"

namespace bitwright::client {
namespace {

using Align = TextTable::Align;

std::vector<int> NumbersIn(const std::string& key) {
  std::vector<int> numbers;
  bool inside = false;
  for (const char c : key) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      inside = false;
      continue;
    }
    if (!inside) numbers.push_back(0);
    inside = true;
    numbers.back() = std::min(numbers.back(), 1 << 24) * 10 + (c - '0');
  }
  return numbers;
}

std::string ErrorText(const v1::Task& task) {
  if (task.error().code() == 0) return "";
  const absl::Status status = WithReason(task.error());
  return absl::StrCat("[", ErrorReason(status), "] ", Printable(std::string(status.message()), 60));
}

std::string StateText(const v1::Task& task) {
  std::string state = v1::Task::State_Name(task.state());
  if (task.cached()) absl::StrAppend(&state, " (kept)");
  if (task.state() == v1::Task::LEASED) absl::StrAppend(&state, " ", static_cast<int>(100 * task.progress()), " %");
  return state;
}

}  // namespace

void SortForPeople(const v1::Job& job, std::vector<v1::Task>& tasks) {
  std::map<std::string, int> walk;
  for (const v1::Stage& stage : job.stages()) walk.emplace(stage.kind(), static_cast<int>(walk.size()));
  const auto place = [&](const v1::Task& task) {
    const auto stage = walk.find(task.kind());
    const int order = stage == walk.end() ? static_cast<int>(walk.size()) : stage->second;
    return std::make_tuple(order, task.kind(), NumbersIn(task.key()), task.key());
  };
  std::sort(tasks.begin(), tasks.end(), [&](const v1::Task& a, const v1::Task& b) { return place(a) < place(b); });
}

std::string TaskTable(std::span<const v1::Task> tasks) {
  TextTable table({{"key", Align::kLeft},
                   {"state", Align::kLeft},
                   {"tries"},
                   {"seconds"},
                   {"worker", Align::kLeft},
                   {"task", Align::kLeft},
                   {"last error", Align::kLeft}});
  for (const v1::Task& task : tasks) {
    table.Add({Printable(task.key(), 28), StateText(task), absl::StrCat(task.attempts()),
               task.state() == v1::Task::DONE && !task.cached() ? SecondsText(task.seconds()) : "", task.worker(),
               task.name(), ErrorText(task)});
  }
  return table.ToText(160);
}

std::string CacheEntryText(const v1::CacheEntry& entry) {
  std::string text = absl::StrCat(
      entry.digest(), "  ", entry.usable() ? "kept" : "kept, but an output is gone: the task would run again", "\n");
  absl::StrAppend(&text, "  tenant ", Printable(entry.tenant(), 63), ", made in ",
                  SecondsText(entry.result().seconds()), "\n\n");
  TextTable outputs({{"output", Align::kLeft}, {"bytes"}, {"sha256", Align::kLeft}});
  for (const v1::TaskOutput& output : entry.result().outputs()) {
    outputs.Add({Printable(output.name(), 60), WithThousands(output.digest().size_bytes()), output.digest().sha256()});
  }
  return text + outputs.ToText(160);
}

}  // namespace bitwright::client
