#include "server/jobs/stamp.h"

#include <set>

#include "proto/base/wire_time.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

const absl::Time kNow = TimeFromMicros(1'700'000'000'000'000);

TEST(Stamp, EveryChangeHasItsOwnEtag) {
  v1::Job job;
  job.set_state(v1::Job::QUEUED);
  std::set<std::string> etags;
  int64_t revision = 0;
  for (int i = 0; i < 100; ++i) {
    const absl::Time now = kNow + absl::Seconds(i);
    Stamp(job, now);
    EXPECT_TRUE(etags.insert(job.etag()).second);
    EXPECT_LE(job.etag().size(), 20u);
    EXPECT_GT(job.revision(), revision);
    EXPECT_EQ(FromProto(job.update_time()), now);
    revision = job.revision();
  }
}

TEST(Stamp, TheSameRevisionInAnotherStateHasAnotherEtag) {
  v1::Job queued;
  queued.set_state(v1::Job::QUEUED);
  v1::Job running = queued;
  running.set_state(v1::Job::RUNNING);
  Stamp(queued, kNow);
  Stamp(running, kNow);
  EXPECT_EQ(queued.revision(), running.revision());
  EXPECT_NE(queued.etag(), running.etag());
}

TEST(Stamp, WhatAModelWaitsForLeavesItsEtag) {
  v1::Model model;
  model.set_state(v1::Model::INSPECTING);
  Stamp(model, kNow);
  const v1::Model before = model;
  StampSeen(model, kNow + absl::Seconds(1));
  EXPECT_EQ(model.etag(), before.etag());
  EXPECT_GT(model.revision(), before.revision());
  model.set_state(v1::Model::READY);
  Stamp(model, kNow + absl::Seconds(2));
  EXPECT_NE(model.etag(), before.etag());
}

TEST(Stamp, MessagesOfBeforeGetOne) {
  v1::Job job;
  job.set_state(v1::Job::SUCCEEDED);
  job.set_revision(7);
  *job.mutable_create_time() = ToProto(kNow);
  *job.mutable_end_time() = ToProto(kNow + absl::Seconds(5));
  StampOld(job);
  EXPECT_FALSE(job.etag().empty());
  EXPECT_EQ(FromProto(job.update_time()), kNow + absl::Seconds(5));
  const v1::Job once = job;
  StampOld(job);
  EXPECT_EQ(job.SerializeAsString(), once.SerializeAsString());
  v1::Model model;
  model.set_state(v1::Model::READY);
  *model.mutable_create_time() = ToProto(kNow);
  StampOld(model);
  EXPECT_FALSE(model.etag().empty());
  EXPECT_EQ(FromProto(model.update_time()), kNow);
}

TEST(Stamp, AnEtagIsComparedOnlyWhereOneIsGiven) {
  EXPECT_THAT(CheckEtag("jobs/j", "", "a"), IsOk());
  EXPECT_THAT(CheckEtag("jobs/j", "a", "a"), IsOk());
  const absl::Status other = CheckEtag("jobs/j", "b", "a");
  EXPECT_THAT(other, HasReason("ETAG_MISMATCH"));
  EXPECT_TRUE(absl::IsAborted(other));
}

}  // namespace
}  // namespace bitwright::server
