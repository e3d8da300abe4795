#include "server/web/routes.h"

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::ElementsAre;

TEST(Routes, StarsStandForPartsOfAPath) {
  const auto job = FindRoute("GET", "/jobs/3f");
  ASSERT_THAT(job, IsOk());
  EXPECT_EQ(job->route->page, ShowJob);
  EXPECT_THAT(job->arguments, ElementsAre("3f"));
  const auto file = FindRoute("HEAD", "/jobs/3f/files/1/sub/model.safetensors");
  ASSERT_THAT(file, IsOk());
  EXPECT_THAT(file->arguments, ElementsAre("3f", "1", "sub/model.safetensors"));
}

TEST(Routes, WhatIsNoPageIsRefused) {
  for (const char* path :
       {"", "/nothing", "/jobs/", "/jobs//tasks", "/jobs/3f/", "/jobs/3f/files/1", "/jobs/3f/cancel"}) {
    EXPECT_THAT(FindRoute("GET", path), HasReason("PAGE_NOT_FOUND")) << path;
  }
  EXPECT_THAT(FindRoute("POST", "/jobs/3f"), HasReason("PAGE_NOT_FOUND"));
}

TEST(Routes, OnlySigningInAndAssetsAreOpen) {
  for (const char* path : {"/sign-in", "/assets/app.css"}) EXPECT_TRUE(FindRoute("GET", path)->route->open) << path;
  for (const char* path : {"/", "/jobs", "/jobs/3f/events", "/models/3f/estimate", "/workers", "/recipes"}) {
    EXPECT_FALSE(FindRoute("GET", path)->route->open) << path;
  }
}

}  // namespace
}  // namespace bitwright::server
