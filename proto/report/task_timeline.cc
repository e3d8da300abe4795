#include "proto/report/task_timeline.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/report/html_text.h"
#include "proto/report/log_chart.h"
#include "proto/report/number_text.h"
#include "proto/report/svg.h"
#include "proto/report/text_table.h"

namespace bitwright {
namespace {

constexpr double kWidth = 720, kRow = 20, kNames = 90, kRight = 100, kFoot = 30;

struct Stage {
  std::string kind;
  int tasks = 0, cached = 0;
  double seconds = 0;
};

// Kinds in the order in which their first tasks come.
std::vector<Stage> StagesOf(std::span<const v1::Task> tasks) {
  std::vector<Stage> stages;
  for (const v1::Task& task : tasks) {
    auto stage = std::ranges::find(stages, task.kind(), &Stage::kind);
    if (stage == stages.end()) stage = stages.insert(stage, Stage{task.kind()});
    ++stage->tasks;
    stage->cached += task.cached();
    stage->seconds += task.cached() ? 0 : task.seconds();
  }
  return stages;
}

double StartOf(const v1::Task& task) {
  return static_cast<double>(task.start_time().seconds()) + 1e-9 * task.start_time().nanos();
}

bool Ran(const v1::Task& task) { return task.has_start_time() && !task.cached(); }

std::string Drawing(std::span<const v1::Task> tasks, const std::vector<Stage>& stages) {
  double begin = 0, end = 0;
  bool any = false;
  for (const v1::Task& task : tasks) {
    if (!Ran(task)) continue;
    begin = any ? std::min(begin, StartOf(task)) : StartOf(task);
    end = any ? std::max(end, StartOf(task) + task.seconds()) : StartOf(task) + task.seconds();
    any = true;
  }
  if (end <= begin) return "";
  const double scale = (kWidth - kNames - kRight) / (end - begin);
  const double bottom = kRow * static_cast<double>(stages.size());
  Svg svg(kWidth, bottom + kFoot, "When the tasks of each stage ran");
  for (size_t s = 0; s < stages.size(); ++s) {
    const double y = kRow * static_cast<double>(s);
    svg.Text(kNames - 8, y + 14, stages[s].kind, "tick", Svg::Anchor::kEnd);
    if (stages[s].cached > 0) {
      svg.Text(kWidth - kRight + 8, y + 14, absl::StrCat(stages[s].cached, " cached"), "tick", Svg::Anchor::kStart);
    }
    for (const v1::Task& task : tasks) {
      if (!Ran(task) || task.kind() != stages[s].kind) continue;
      svg.Rect(kNames + scale * (StartOf(task) - begin), y + 3, std::max(1.0, scale * task.seconds()), kRow - 6, "task",
               absl::StrCat(task.key(), ": ", SecondsText(task.seconds())));
    }
  }
  svg.Line(kNames, bottom + 2, kWidth - kRight, bottom + 2, "axis");
  for (const double tick : LinearTicks(0, end - begin, 8)) {
    svg.Text(kNames + scale * tick, bottom + 18, absl::StrCat(tick), "tick", Svg::Anchor::kMiddle);
  }
  svg.Text(kWidth, bottom + 18, "seconds", "title", Svg::Anchor::kEnd);
  return svg.Build();
}

}  // namespace

std::string TaskTimeline(std::span<const v1::Task> tasks) {
  if (tasks.empty()) return "";
  const std::vector<Stage> stages = StagesOf(tasks);
  TextTable table({{"stage", TextTable::Align::kLeft}, {"tasks"}, {"taken from the cache"}, {"seconds"}});
  Stage all{"all"};
  for (const Stage& stage : stages) {
    table.Add(
        {Printable(stage.kind, 60), absl::StrCat(stage.tasks), absl::StrCat(stage.cached), Fixed(stage.seconds, 2)});
    all.tasks += stage.tasks;
    all.cached += stage.cached;
    all.seconds += stage.seconds;
  }
  table.Add({all.kind, absl::StrCat(all.tasks), absl::StrCat(all.cached), Fixed(all.seconds, 2)});
  return Drawing(tasks, stages) + HtmlTable(table, "Tasks of each stage, and the seconds that they ran");
}

}  // namespace bitwright
