#include "client/cli/local_server.h"

#include <sys/stat.h>

#include <filesystem>

#include "client/api/client.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

class LocalServerTest : public ::testing::Test {
 protected:
  LocalServerTest() {
    environment_.temp_dir = temp_.path();
    environment_.daemon = FAKE_BITWRIGHTD;
  }
  auto Start(const LocalOptions& options = {}) { return LocalServer::Start(options, environment_, cancel_); }
  bool LeftNothing() const { return fs::is_empty(temp_.path()); }

  TempDir temp_;
  Environment environment_;
  std::shared_ptr<CancelToken> cancel_ = std::make_shared<CancelToken>();
};

TEST_F(LocalServerTest, StartsServesAndLeavesNothing) {
  {
    ASSERT_OK_AND_ASSIGN(const auto server, Start({.threads = 3, .workers = 2}));
    struct stat info {};
    ASSERT_EQ(::stat(server->private_dir().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
    EXPECT_THAT(Client::ConnectTo({.address = server->address()})->ListRecipes(), IsOk());
    ASSERT_OK_AND_ASSIGN(const std::string arguments, ReadWholeFile(server->private_dir() + "/data/arguments"));
    EXPECT_EQ(arguments, "--data-dir " + server->private_dir() + "/data --listen " + server->address() +
                             " --metrics-listen off --exit-with-parent --workers 2 --worker-threads 3 \n");
    EXPECT_EQ(server->Explain(absl::InternalError("x")), absl::InternalError("x"));
  }
  EXPECT_TRUE(LeftNothing());
}

TEST_F(LocalServerTest, ItsWorkersHaveTheDeviceThatTheJobAsksFor) {
  ASSERT_OK_AND_ASSIGN(const auto server, Start({.device = "cpu"}));
  ASSERT_OK_AND_ASSIGN(const std::string arguments, ReadWholeFile(server->private_dir() + "/data/arguments"));
  EXPECT_NE(arguments.find(" --worker-device cpu "), std::string::npos) << arguments;
}

TEST_F(LocalServerTest, KeepsTheNamedDataDir) {
  TempDir kept;
  for (int run = 0; run < 2; ++run) ASSERT_THAT(Start({.keep_data_dir = kept / "data"}).status(), IsOk());
  EXPECT_TRUE(fs::exists(kept / "data/arguments"));
  EXPECT_TRUE(LeftNothing());
}

TEST_F(LocalServerTest, DataThatIsToBeKeptIsMoved) {
  TempDir state;
  const std::string place = state / "deep/data";
  {
    ASSERT_OK_AND_ASSIGN(const auto server, Start());
    EXPECT_TRUE(server->owns_data());
    EXPECT_EQ(server->KeepData(place), place);
  }
  EXPECT_TRUE(fs::exists(place + "/arguments"));
  EXPECT_TRUE(LeftNothing());
}

TEST_F(LocalServerTest, DataThatCannotBeMovedIsKeptWhereItIs) {
  for (const std::string& place : {std::string(), std::string("/proc/1/nowhere/data")}) {
    std::string kept;
    {
      ASSERT_OK_AND_ASSIGN(const auto server, Start());
      kept = server->KeepData(place);
      EXPECT_EQ(kept, server->private_dir() + "/data");
    }
    EXPECT_TRUE(fs::exists(kept + "/arguments"));
    EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(kept).parent_path()), {}), 1) << "and nothing beside it";
    fs::remove_all(fs::path(kept).parent_path());
  }
}

TEST_F(LocalServerTest, DataThatTheUserNamedStaysThere) {
  TempDir named;
  ASSERT_OK_AND_ASSIGN(const auto server, Start({.keep_data_dir = named / "data"}));
  EXPECT_FALSE(server->owns_data());
  EXPECT_EQ(server->KeepData("/nowhere"), named / "data");
  EXPECT_TRUE(fs::exists(named / "data/arguments"));
}

TEST_F(LocalServerTest, FailureAtTheStartShowsTheLog) {
  environment_.daemon = temp_ / "fake-dies";
  fs::create_symlink(FAKE_BITWRIGHTD, environment_.daemon);
  const auto server = Start();
  EXPECT_THAT(server, HasReason("DAEMON_FAILED"));
  EXPECT_NE(server.status().message().find("disk on fire"), absl::string_view::npos) << server.status();
  fs::remove(environment_.daemon);
  EXPECT_TRUE(LeftNothing());
}

TEST_F(LocalServerTest, SaysWhereItLooked) {
  environment_.daemon = "/nowhere/bitwrightd";
  EXPECT_THAT(FindDaemon(environment_), HasReason("DAEMON_NOT_FOUND"));
  environment_.daemon.clear();
  environment_.path = "/nowhere:/nowhere/else";
  EXPECT_THAT(FindDaemon(environment_), HasReason("DAEMON_NOT_FOUND"));
}

TEST_F(LocalServerTest, LooksBesideItselfThenInPath) {
  environment_.daemon.clear();
  fs::create_directories(temp_ / "own");
  fs::create_directories(temp_ / "bin");
  fs::create_symlink(FAKE_BITWRIGHTD, temp_ / "bin/bitwrightd");
  environment_.own_dir = temp_ / "own";
  environment_.path = "/nowhere:" + (temp_ / "bin");
  EXPECT_EQ(*FindDaemon(environment_), temp_ / "bin/bitwrightd");
  fs::create_symlink(FAKE_BITWRIGHTD, temp_ / "own/bitwrightd");
  EXPECT_EQ(*FindDaemon(environment_), temp_ / "own/bitwrightd");
}

TEST_F(LocalServerTest, LongTempDirIsNotTakenForTheSocket) {
  environment_.temp_dir = temp_.path() + "/" + std::string(120, 'x');
  fs::create_directories(environment_.temp_dir);
  ASSERT_OK_AND_ASSIGN(const auto server, Start());
  EXPECT_LT(server->address().size(), 100u);
}

}  // namespace
}  // namespace bitwright::client
