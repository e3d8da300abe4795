#include "client/cli/progress_bars.h"

#include <gtest/gtest.h>

#include <cmath>

#include "proto/report/number_text.h"

namespace bitwright::client {
namespace {

using Phase = TransferProgress::Phase;

v1::Stage MakeStage(const std::string& kind, int tasks, int finished, int running, int cached = 0) {
  v1::Stage stage;
  stage.set_kind(kind);
  stage.set_tasks(tasks);
  stage.set_finished(finished);
  stage.set_running(running);
  stage.set_cached(cached);
  stage.set_fraction(tasks == 0 ? 0 : static_cast<double>(finished) / tasks);
  return stage;
}

v1::Job MakeJob(const std::vector<v1::Stage>& stages) {
  v1::Job job;
  job.mutable_stages()->Add(stages.begin(), stages.end());
  return job;
}

TEST(RenderBars, FillsTheWidth) {
  const ProgressBar bars[] = {{"hash", 1.0, "5 files", true}, {"upload", 0.5, "1 file"}, {"inspect", 0, ""}};
  EXPECT_EQ(RenderBars(bars, 100, false),
            (std::vector<std::string>{"hash      [==============================] 100 %  5 files",
                                      "upload    [===============               ]  50 %  1 file",
                                      "inspect   [                              ]   0 %"}));
}

TEST(RenderBars, NeverWiderThanTheTerminal) {
  const ProgressBar bars[] = {{"a very long label", 0.333, "some detail of some length ± 1", false},
                              {"x", 1e300, "y", false},
                              {"z", -1, "", false},
                              {"n", std::nan(""), "", false}};
  for (int columns = 1; columns < 120; ++columns) {
    for (const std::string& line : RenderBars(bars, columns, false)) {
      EXPECT_LE(static_cast<int>(Columns(line)), columns) << line;
      EXPECT_FALSE(line.empty());
    }
  }
}

TEST(RenderBars, HundredPercentIsForWhatIsDone) {
  const ProgressBar bars[] = {{"x", 1.0, "", false}};
  EXPECT_NE(RenderBars(bars, 80, false)[0].find(" 99 %"), std::string::npos);
}

TEST(RenderBars, ColourOnlyOnDemand) {
  const ProgressBar bars[] = {{"x", 0.5, "", false}};
  EXPECT_EQ(RenderBars(bars, 80, false)[0].find('\033'), std::string::npos);
  EXPECT_NE(RenderBars(bars, 80, true)[0].find("\033[36m"), std::string::npos);
}

TEST(TransferBar, CountsBytes) {
  const ProgressBar bar = TransferBar({Phase::kUpload, 2, 5000000, 10000000});
  EXPECT_EQ(bar.label, "upload");
  EXPECT_EQ(bar.fraction, 0.5);
  EXPECT_EQ(bar.detail, "2 files, 5.00 MB of 10.00 MB");
  EXPECT_TRUE(TransferBar({Phase::kUpload, 0, 0, 0}).done);
  EXPECT_FALSE(TransferBar({Phase::kInspect, 2, 0, 0}).done);
}

TEST(JobBars, ThatOfTheJobComesFirst) {
  v1::Job job = MakeJob({MakeStage("calibrate", 4, 4, 0)});
  job.set_name("jobs/a");
  job.set_state(v1::Job::RUNNING);
  job.set_progress(0.437);
  job.mutable_start_time()->set_seconds(100);
  job.mutable_remaining()->set_seconds(20);
  const auto bars = JobBars(job, absl::FromUnixSeconds(112));
  ASSERT_EQ(bars.size(), 2u);
  EXPECT_EQ(bars[0].label, "job");
  EXPECT_DOUBLE_EQ(bars[0].fraction, 0.43);
  EXPECT_EQ(bars[0].detail, "12 s, about 20 s left");
}

TEST(JobBars, OnePerStage) {
  const auto bars =
      JobBars(MakeJob({MakeStage("calibrate", 4, 4, 0, 2), MakeStage("evaluate", 8, 2, 1)}), absl::UnixEpoch());
  ASSERT_EQ(bars.size(), 2u);
  EXPECT_TRUE(bars[0].done);
  EXPECT_EQ(bars[0].detail, "4/4 tasks, 2 cached");
  EXPECT_EQ(bars[1].fraction, 0.25);
}

TEST(StageMessages, OnlyChanges) {
  const v1::Job first = MakeJob({MakeStage("inspect", 1, 0, 1), MakeStage("calibrate", 4, 0, 0)});
  EXPECT_EQ(StageMessages({}, first), std::vector<std::string>{"inspect: started, 1 task"});
  EXPECT_TRUE(StageMessages(first, first).empty());
  const v1::Job second = MakeJob({MakeStage("inspect", 1, 1, 0), MakeStage("calibrate", 4, 2, 1)});
  EXPECT_EQ(StageMessages(first, second),
            (std::vector<std::string>{"inspect: done, 1/1 task", "calibrate: started, 4 tasks"}));
  const v1::Job third = MakeJob({MakeStage("inspect", 1, 1, 0), MakeStage("calibrate", 4, 4, 0, 1)});
  EXPECT_EQ(StageMessages(second, third), std::vector<std::string>{"calibrate: done, 4/4 tasks, 1 cached"});
}

}  // namespace
}  // namespace bitwright::client
