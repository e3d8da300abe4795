#include "server/auth/audit_log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "proto/base/errors.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using nlohmann::json;

class AuditLogTest : public ::testing::Test {
 protected:
  std::vector<json> Lines(const std::string& path) {
    std::vector<json> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    return lines;
  }
  AuditEntry Entry(const std::string& resource, bool ran = true) {
    return {.time = absl::FromUnixMicros(1'500'000),
            .call = call_,
            .method = "CreateJob",
            .resource = resource,
            .ran = ran};
  }

  TempDir dir_;
  const std::string path_ = dir_ / "audit";
  CallContext call_{.principal = {.name = "alice", .tenant = "nlp", .roles = {Role::kSubmitter, Role::kWorker}},
                    .peer = "ipv4:10.0.0.1:5",
                    .trace_parent = "00-x",
                    .request_id = "r\"1\n"};
};

TEST_F(AuditLogTest, AnEntryIsALine) {
  ASSERT_OK_AND_ASSIGN(const auto log, AuditLog::Open(path_));
  BITWRIGHT_ASSERT_OK(log->Write(Entry("jobs/1")));
  AuditEntry refused = Entry("", false);
  const CallContext stranger{.peer = "ipv4:10.0.0.2:5"};
  refused.status = MakeError(absl::StatusCode::kUnauthenticated, "CREDENTIALS_INVALID", "x");
  BITWRIGHT_ASSERT_OK(
      log->Write({.time = refused.time, .call = stranger, .method = "CreateJob", .status = refused.status}));
  const std::vector<json> lines = Lines(path_);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], json::parse(R"({"time": "1970-01-01T00:00:01.500000Z", "principal": "alice", "tenant": "nlp",
    "roles": ["submitter", "worker"], "peer": "ipv4:10.0.0.1:5", "request_id": "r\"1 ", "trace_parent": "00-x",
    "method": "CreateJob", "resource": "jobs/1", "code": "OK", "reason": ""})"));
  EXPECT_EQ(lines[1]["principal"], "");
  EXPECT_EQ(lines[1]["tenant"], "");
  EXPECT_EQ(lines[1]["roles"], json::array());
  EXPECT_EQ(lines[1]["code"], "UNAUTHENTICATED");
  EXPECT_EQ(lines[1]["reason"], "CREDENTIALS_INVALID");
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(AuditLogTest, WhatIsThereStays) {
  { BITWRIGHT_ASSERT_OK((*AuditLog::Open(path_))->Write(Entry("jobs/1"))); }
  { BITWRIGHT_ASSERT_OK((*AuditLog::Open(path_))->Write(Entry("jobs/2"))); }
  EXPECT_EQ(Lines(path_).size(), 2u);
}

TEST_F(AuditLogTest, ARotatedFileIsMadeAnew) {
  ASSERT_OK_AND_ASSIGN(const auto log, AuditLog::Open(path_));
  BITWRIGHT_ASSERT_OK(log->Write(Entry("jobs/1")));
  std::filesystem::rename(path_, dir_ / "audit.1");
  BITWRIGHT_ASSERT_OK(log->Write(Entry("jobs/2")));
  EXPECT_EQ(Lines(dir_ / "audit.1").size(), 1u);
  ASSERT_EQ(Lines(path_).size(), 1u);
  EXPECT_EQ(Lines(path_)[0]["resource"], "jobs/2");
}

TEST_F(AuditLogTest, WhatRanIsKeptUntilItCanBeWritten) {
  std::filesystem::create_directory(dir_ / "logs");
  const std::string path = dir_ / "logs/audit";
  ASSERT_OK_AND_ASSIGN(const auto log, AuditLog::Open(path));
  std::filesystem::rename(dir_ / "logs", dir_ / "away");
  EXPECT_THAT(log->Ready(), HasReason("AUDIT_UNWRITABLE"));
  const absl::Status unwritten = log->Write(Entry("jobs/1"));
  EXPECT_THAT(unwritten, HasReason("AUDIT_UNWRITABLE"));
  EXPECT_THAT(unwritten, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(log->Write(Entry("refused", false)), HasReason("AUDIT_UNWRITABLE"));
  std::filesystem::rename(dir_ / "away", dir_ / "logs");
  BITWRIGHT_EXPECT_OK(log->Ready());
  BITWRIGHT_ASSERT_OK(log->Write(Entry("jobs/2")));
  const std::vector<json> lines = Lines(path);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["resource"], "jobs/1");
  EXPECT_EQ(lines[1]["resource"], "jobs/2");
}

TEST_F(AuditLogTest, AFullDiskIsAnError) {
  ASSERT_OK_AND_ASSIGN(const auto log, AuditLog::Open("/dev/full"));
  EXPECT_THAT(log->Write(Entry("jobs/1")), HasReason("AUDIT_UNWRITABLE"));
  EXPECT_THAT(log->Ready(), HasReason("AUDIT_UNWRITABLE")) << "nothing more runs";
}

TEST_F(AuditLogTest, ItMustBeWritableAtTheStart) {
  EXPECT_THAT(AuditLog::Open(dir_ / "nothing/audit"), HasReason("AUDIT_UNWRITABLE"));
}

TEST_F(AuditLogTest, NoneIsNoObstacle) {
  AuditLog none;
  BITWRIGHT_EXPECT_OK(none.Ready());
  BITWRIGHT_EXPECT_OK(none.Write(Entry("jobs/1")));
}

}  // namespace
}  // namespace bitwright::server
