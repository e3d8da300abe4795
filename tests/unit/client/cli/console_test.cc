#include "client/cli/console.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bitwright/v1/jobs.pb.h"
#include "client/api/client_errors.h"
#include "client/cli/exit_codes.h"
#include "proto/base/errors.h"

namespace bitwright::client {
namespace {

const absl::Status kError = MakeError(absl::StatusCode::kNotFound, "JOB_NOT_FOUND", "no job \033[2J x", {{"job", "x"}});

TEST(Console, ErrorForAPerson) {
  std::ostringstream out;
  std::ostringstream err;
  Console(out, err, {}).Error(kError);
  EXPECT_EQ(out.str(), "");
  EXPECT_EQ(err.str(), "error: no job ?[2J x [JOB_NOT_FOUND]\n");
}

TEST(Console, ErrorForAProgram) {
  std::ostringstream out;
  std::ostringstream err;
  Console(out, err, {.json = true}).Error(kError);
  const auto json = nlohmann::json::parse(out.str());
  EXPECT_EQ(json["error"]["code"], "NOT_FOUND");
  EXPECT_EQ(json["error"]["reason"], "JOB_NOT_FOUND");
  EXPECT_EQ(json["error"]["metadata"]["job"], "x");
}

TEST(Console, QuietKeepsResultsAndErrors) {
  std::ostringstream out;
  std::ostringstream err;
  Console console(out, err, {.quiet = true});
  console.Note("hash: 3 files");
  console.Result("done", "");
  console.Error(kError);
  EXPECT_EQ(out.str(), "done\n");
  EXPECT_EQ(err.str().find("hash"), std::string::npos);
  EXPECT_NE(err.str().find("error"), std::string::npos);
}

TEST(Console, StreamsHaveOneObjectPerLine) {
  std::ostringstream out;
  std::ostringstream err;
  Console console(out, err, {.json = true});
  v1::Job job;
  job.set_name("jobs/a");
  console.Line(job);
  console.Line(job);
  console.Error(kError);
  std::istringstream lines(out.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(nlohmann::json::parse(line).is_object());
  EXPECT_EQ(count, 3);
}

TEST(Console, WarningsAreNotProgress) {
  std::ostringstream out;
  std::ostringstream err;
  Console(out, err, {.quiet = true}).Warning("the texts overlap");
  EXPECT_EQ(err.str(), "warning: the texts overlap\n");
}

TEST(ExitCodes, FollowTheStatus) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kOk);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("")), ExitCode::kFailed);
  EXPECT_EQ(ExitCodeOf(absl::FailedPreconditionError("")), ExitCode::kFailed);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("")), ExitCode::kNotFound);
  EXPECT_EQ(ExitCodeOf(absl::CancelledError("")), ExitCode::kCancelled);
  EXPECT_EQ(ExitCodeOf(absl::UnauthenticatedError("")), ExitCode::kDenied);
  EXPECT_EQ(ExitCodeOf(absl::PermissionDeniedError("")), ExitCode::kDenied);
  EXPECT_EQ(ExitCodeOf(FileUnreadableError("x", ENOENT)), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(FileUnreadableError("x", EACCES)), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(MakeError(absl::StatusCode::kCancelled, "INTERRUPTED", "")), ExitCode::kInterrupted);
}

}  // namespace
}  // namespace bitwright::client
