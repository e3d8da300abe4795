#include "client/cli/kept_results.h"

#include <filesystem>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

class KeptResultsTest : public ::testing::Test {
 protected:
  KeptResultsTest() : kept_(dir_ / "state") { fs::create_directories(dir_ / "data"); }

  TempDir dir_;
  const KeptResults kept_;
};

TEST_F(KeptResultsTest, RemembersUntilItIsDelivered) {
  EXPECT_FALSE(kept_.any());
  EXPECT_EQ(kept_.Find("key"), std::nullopt);
  const KeptResult result{"jobs/a", dir_ / "data", true};
  ASSERT_TRUE(kept_.Keep("key", result));
  EXPECT_TRUE(kept_.any());
  const auto found = kept_.Find("key");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->job, "jobs/a");
  EXPECT_EQ(found->data_dir, dir_ / "data");
  EXPECT_TRUE(found->owned);
  EXPECT_EQ(kept_.Find("other"), std::nullopt);
  kept_.Drop("key", result);
  EXPECT_EQ(kept_.Find("key"), std::nullopt);
  EXPECT_FALSE(fs::exists(dir_ / "data"));
}

TEST_F(KeptResultsTest, DataThatSomebodyNamedStays) {
  const KeptResult result{"jobs/a", dir_ / "data", false};
  ASSERT_TRUE(kept_.Keep("key", result));
  kept_.Drop("key", result);
  EXPECT_TRUE(fs::exists(dir_ / "data"));
}

TEST_F(KeptResultsTest, DataOfTwoResultsGoesWithTheLast) {
  const KeptResult first{"jobs/a", dir_ / "data", true};
  const KeptResult second{"jobs/b", dir_ / "data", true};
  ASSERT_TRUE(kept_.Keep("first", first) && kept_.Keep("second", second));
  kept_.Drop("first", first);
  EXPECT_TRUE(fs::exists(dir_ / "data"));
  kept_.Drop("second", second);
  EXPECT_FALSE(fs::exists(dir_ / "data"));
}

TEST_F(KeptResultsTest, WhatHasGoneIsForgotten) {
  ASSERT_TRUE(kept_.Keep("key", {"jobs/a", dir_ / "data", true}));
  fs::remove_all(dir_ / "data");
  EXPECT_EQ(kept_.Find("key"), std::nullopt);
  EXPECT_FALSE(kept_.any());
}

TEST_F(KeptResultsTest, DamagedMemoryIsNone) {
  fs::create_directories(dir_ / "state/bitwright/results");
  for (const char* text : {"", "[]", "{", "{\"job\": 1, \"data_dir\": []}"}) {
    BITWRIGHT_ASSERT_OK(WriteWholeFile(dir_ / "state/bitwright/results/key.json", text));
    EXPECT_EQ(kept_.Find("key"), std::nullopt) << text;
  }
}

TEST_F(KeptResultsTest, WithoutAStateFolderNothingIsRemembered) {
  const KeptResults none("");
  EXPECT_FALSE(none.Keep("key", {"jobs/a", dir_ / "data", true}));
  EXPECT_FALSE(none.any());
  EXPECT_EQ(none.PlaceForData(), "");
}

TEST_F(KeptResultsTest, KeysAreThoseOfTheContentNotOfTheServersNames) {
  v1::Manifest model;
  model.add_files()->set_path("config.json");
  v1::JobSpec spec;
  spec.set_model("models/a");
  const std::string key = KeptResults::KeyOf(model, spec);
  spec.set_model("models/b");
  EXPECT_EQ(KeptResults::KeyOf(model, spec), key);
  spec.mutable_budget()->set_average_bits(3);
  EXPECT_NE(KeptResults::KeyOf(model, spec), key);
  model.mutable_files(0)->set_path("other.json");
  spec.clear_budget();
  EXPECT_NE(KeptResults::KeyOf(model, spec), key);
}

}  // namespace
}  // namespace bitwright::client
