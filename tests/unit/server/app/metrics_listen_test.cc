// Where a server serves its metrics, beside another one.
#include "server/app/server.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

class MetricsListenTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Server>> Start(const std::string& listen, const std::string& metrics_listen = "") {
    Options options;
    options.data_dir = dir_ / std::to_string(++started_);
    options.listen = listen;
    options.metrics_listen = metrics_listen;
    options.workers = 0;
    return Server::Start(options, clock_);
  }

  TempDir dir_;
  SystemClock clock_;
  int started_ = 0;
};

TEST_F(MetricsListenTest, TwoServersStartWithoutFurtherFlags) {
  ASSERT_OK_AND_ASSIGN(const auto first, Start("127.0.0.1:0"));
  ASSERT_OK_AND_ASSIGN(const auto second, Start("127.0.0.1:0"));
  EXPECT_GT(first->metrics_port(), 0);
  EXPECT_GT(second->metrics_port(), 0);
  EXPECT_NE(first->metrics_port(), second->metrics_port());
}

TEST_F(MetricsListenTest, APortThatNobodyAskedForIsReplacedWhenTaken) {
  absl::StatusOr<std::unique_ptr<Server>> second = absl::UnavailableError("");
  for (int i = 0; i < 20 && !second.ok(); ++i) {  // the port before that of the metrics may be someone else's
    ASSERT_OK_AND_ASSIGN(const auto first, Start("127.0.0.1:0"));
    second = Start("127.0.0.1:" + std::to_string(first->metrics_port() - 1));
    if (second.ok()) {
      EXPECT_NE((*second)->metrics_port(), first->metrics_port());
    }
  }
  BITWRIGHT_ASSERT_OK(second);
  EXPECT_GT((*second)->metrics_port(), 0);
}

TEST_F(MetricsListenTest, AnAddressThatWasAskedForAndIsTakenIsRefusedByName) {
  ASSERT_OK_AND_ASSIGN(const auto first, Start("127.0.0.1:0"));
  const std::string taken = "127.0.0.1:" + std::to_string(first->metrics_port());
  const auto second = Start("127.0.0.1:0", taken);
  EXPECT_THAT(second, HasReason("METRICS_LISTEN_FAILED"));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("'" + taken + "'"));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("give another --metrics-listen"));
}

TEST_F(MetricsListenTest, BesideASocketThereIsNoPort) {
  ASSERT_OK_AND_ASSIGN(const auto server, Start("unix:" + (dir_ / "socket")));
  EXPECT_EQ(server->metrics_port(), 0);
}

TEST_F(MetricsListenTest, WatermarksThatCrossAreRefused) {
  Options options;
  options.data_dir = dir_ / "crossed";
  options.workers = 0;
  options.listen = "unix:" + (dir_ / "crossed-socket");
  options.disk_low = {.bytes = 10};
  options.disk_full = {.bytes = 20};
  EXPECT_THAT(Server::Start(options, clock_), HasReason("WATERMARKS_CROSSED"));
  options.disk_low = {.bytes = 0};
  EXPECT_THAT(Server::Start(options, clock_), IsOk()) << "turned off";
}

}  // namespace
}  // namespace bitwright::server
