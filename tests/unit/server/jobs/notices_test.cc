#include "server/jobs/notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "proto/contract/limits.h"
#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

constexpr int kWindow = 512;
constexpr int kRunsOfWindow = kWindow - limits::kSketchRun + 1;

// The summary of a text whose runs have these hashes.
v1::TokenizeSummary Text(const std::set<uint64_t>& hashes) {
  v1::TokenizeSummary summary = Summary(static_cast<int>(hashes.size()) / kRunsOfWindow, kWindow);
  for (const uint64_t hash : hashes) {
    if (summary.sketch_size() < limits::kSketchSize) summary.add_sketch(hash);
  }
  return summary;
}

// `own` hashes of this text alone and the first `shared` of those that all texts have.
std::set<uint64_t> Hashes(int seed, int own, int shared) {
  std::set<uint64_t> hashes;
  std::mt19937_64 common(1);
  for (int i = 0; i < shared; ++i) hashes.insert(common());
  std::mt19937_64 random(seed);
  for (int i = 0; i < own; ++i) hashes.insert(random());
  return hashes;
}

v1::JobSpec Spec(int64_t tokens) {
  v1::JobSpec spec = server::Spec();
  for (v1::Data* data : {spec.mutable_calibration(0), spec.mutable_evaluation(0)}) {
    data->set_window(kWindow);
    data->set_tokens(tokens);
  }
  return spec;
}

std::vector<std::string> Reasons(const std::vector<v1::Notice>& notices) {
  std::vector<std::string> reasons;
  for (const v1::Notice& notice : notices) reasons.push_back(notice.reason());
  return reasons;
}

using Strings = std::vector<std::string>;

TEST(Notices, DifferentTextsOfFullLengthGiveNone) {
  const Facts facts{.calibration = Text(Hashes(2, 60 * kRunsOfWindow, 0)),
                    .evaluation = {Text(Hashes(3, 30 * kRunsOfWindow, 0))}};
  EXPECT_EQ(Reasons(DataNotices(Spec(30 * kWindow), facts)), Strings());
  EXPECT_EQ(SharedPart(*facts.calibration, *facts.evaluation[0]), 0);
}

// The standard error of a share s from 256 hashes of the union is about √(s/256): within 0.1 here.
TEST(Notices, TheSharedPartIsThatOfTheEvaluationText) {
  for (const double share : {0.1, 0.3, 0.6, 1.0}) {
    const int evaluation = 40 * kRunsOfWindow;
    const int shared = static_cast<int>(share * evaluation);
    const Facts facts{.calibration = Text(Hashes(2, 80 * kRunsOfWindow - shared, shared)),
                      .evaluation = {Text(Hashes(3, evaluation - shared, shared))}};
    EXPECT_NEAR(SharedPart(*facts.calibration, *facts.evaluation[0]), share, 0.12) << share;
    const auto notices = DataNotices(Spec(40 * kWindow), facts);
    EXPECT_EQ(Reasons(notices), Strings{"TEXTS_OVERLAP"}) << share;
    EXPECT_THAT(notices[0].message(), HasSubstr("% of the evaluation text"));
  }
}

TEST(Notices, ShortTextsAreComparedExactly) {
  v1::TokenizeSummary a = Summary(1, 20);
  v1::TokenizeSummary b = a;
  for (const uint64_t hash : {1, 2, 3, 4, 5}) a.add_sketch(hash);
  for (const uint64_t hash : {4, 5, 6, 7}) b.add_sketch(hash);
  EXPECT_DOUBLE_EQ(SharedPart(a, b), 0.5);
  EXPECT_DOUBLE_EQ(SharedPart(b, a), 0.4);
  EXPECT_DOUBLE_EQ(SharedPart({}, {}), 0);
}

TEST(Notices, OneBlobForBothIsNamedBeforeAnythingIsTokenized) {
  v1::JobSpec spec = Spec(kWindow);
  *spec.mutable_evaluation(0)->mutable_blob() = spec.calibration(0).blob();
  EXPECT_EQ(Reasons(DataNotices(spec, {})), Strings{"TEXTS_IDENTICAL"});
}

TEST(Notices, AShortTextSaysHowManyTokensItGave) {
  Facts facts;
  facts.calibration = Summary(3, kWindow);
  facts.evaluation = {Summary(4, kWindow)};
  const auto notices = DataNotices(Spec(4 * kWindow + 100), facts);
  ASSERT_EQ(Reasons(notices), Strings{"TEXT_SHORT"});
  EXPECT_THAT(notices[0].message(), HasSubstr("calibration text gives 1536 tokens"));
  EXPECT_THAT(notices[0].message(), HasSubstr("2048"));
}

TEST(Notices, OfSeveralTextsSayWhich) {
  v1::JobSpec spec = Spec(4 * kWindow);
  *spec.add_calibration() = spec.calibration(0);
  *spec.mutable_calibration(1)->mutable_blob() = FakeDigest("more", 1000);
  *spec.add_evaluation() = spec.evaluation(0);
  *spec.mutable_evaluation(1)->mutable_blob() = spec.calibration(1).blob();
  Facts facts;
  facts.calibration = Summary(7, kWindow);
  for (const int windows : {4, 3}) facts.calibration->add_texts()->set_windows(windows);
  facts.evaluation = {std::nullopt, Summary(2, kWindow)};
  const auto notices = DataNotices(spec, facts);
  ASSERT_EQ(Reasons(notices), (Strings{"TEXT_SHORT", "TEXT_SHORT", "TEXTS_IDENTICAL"}));
  EXPECT_THAT(notices[0].message(), HasSubstr("the calibration text 2 gives 1536 tokens"));
  EXPECT_THAT(notices[1].message(), HasSubstr("the evaluation text 2 gives 1024 tokens"));
  EXPECT_THAT(notices[2].message(), HasSubstr("the evaluation text 2 is calibrated on, too"));
}

TEST(Notices, ThoseOfTheTokenizationsComeFirst) {
  Facts facts;
  facts.evaluation = {Summary(1, kWindow)};
  facts.evaluation[0]->add_notices()->set_reason("TEXT_FOREIGN_SCRIPT");
  EXPECT_EQ(Reasons(DataNotices(Spec(2 * kWindow), facts)), (Strings{"TEXT_FOREIGN_SCRIPT", "TEXT_SHORT"}));
}

}  // namespace
}  // namespace bitwright::server
