#include "client/cli/progress_reporter.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/proto/transfer/test_clock.h"

namespace bitwright::client {
namespace {

class ProgressReporterTest : public ::testing::Test {
 protected:
  static v1::Job Running() {
    v1::Job job;
    job.set_name("jobs/a");
    job.set_state(v1::Job::RUNNING);
    job.set_progress(0.25);
    job.mutable_start_time()->set_seconds(0);
    return job;
  }
  int Lines() const {
    const std::string text = err_.str();
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }
  void Pass(absl::Duration time) { (void)clock_.Sleep(time, CancelToken()); }

  std::ostringstream out_;
  std::ostringstream err_;
  TestClock clock_;
};

TEST_F(ProgressReporterTest, RedirectedOutputHasALineEveryTenSeconds) {
  Console console(out_, err_, {});
  ProgressReporter reporter(console, false, clock_);
  reporter.Job(Running());
  const int said = Lines();
  Pass(absl::Seconds(5));
  reporter.Tick();
  EXPECT_EQ(Lines(), said);
  for (int i = 1; i <= 3; ++i) {
    Pass(absl::Seconds(9));
    reporter.Tick();
    EXPECT_EQ(Lines(), said + i);
  }
  EXPECT_NE(err_.str().find("jobs/a: 25 %, 32 s\n"), std::string::npos) << err_.str();
}

TEST_F(ProgressReporterTest, TransfersLikewise) {
  Console console(out_, err_, {});
  ProgressReporter reporter(console, false, clock_);
  reporter.Transfer({TransferProgress::Phase::kUpload, 2, 0, 10'000'000, ""});
  reporter.Transfer({TransferProgress::Phase::kUpload, 2, 5'000'000, 10'000'000, ""});
  Pass(absl::Seconds(10));
  reporter.Tick();
  EXPECT_NE(err_.str().find("upload: 2 files, 5.00 MB of 10.00 MB\n"), std::string::npos) << err_.str();
}

TEST_F(ProgressReporterTest, WaitingIsSaidWhenItChanges) {
  Console console(out_, err_, {});
  ProgressReporter reporter(console, false, clock_);
  v1::Job job = Running();
  job.mutable_waiting()->set_reason("NO_WORKER");
  job.mutable_waiting()->set_message("no worker is registered");
  reporter.Job(job);
  reporter.Job(job);
  EXPECT_EQ(err_.str(), "jobs/a: RUNNING\nwaiting: no worker is registered [NO_WORKER]\n");
  Pass(absl::Seconds(10));
  reporter.Tick();
  EXPECT_NE(err_.str().find("25 %, 10 s; waiting: no worker"), std::string::npos) << err_.str();
}

TEST_F(ProgressReporterTest, WarningsAreSaidOnceAndNeverLost) {
  for (const bool animate : {false, true}) {
    for (const bool quiet : {false, true}) {
      err_.str("");
      Console console(out_, err_, {.quiet = quiet});
      {
        ProgressReporter reporter(console, animate, clock_);
        reporter.Job(Running());
        reporter.Warn("the texts overlap");
        reporter.Warn("the texts overlap");
      }
      const std::string text = err_.str();
      const size_t first = text.find("warning: the texts overlap\n");
      ASSERT_NE(first, std::string::npos) << text;
      EXPECT_EQ(text.find("the texts overlap", first + 20), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace bitwright::client
