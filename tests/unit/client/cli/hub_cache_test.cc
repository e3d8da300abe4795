#include "client/cli/hub_cache.h"

#include <filesystem>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

TEST(HubCache, KnowsItsNames) {
  for (const char* name : {"org/name", "Qwen/Qwen3-0.6B", "a_b/c.d-e"}) EXPECT_TRUE(IsHubName(name)) << name;
  for (const char* name : {"name", "a/b/c", "/a", "a/", "./a", "../a", "models/abc", "a b/c", "unix:/x", "a/.."}) {
    EXPECT_FALSE(IsHubName(name)) << name;
  }
}

TEST(HubCache, FindsTheSnapshotOfMain) {
  TempDir dir;
  const std::vector<std::string> caches = {dir / "none", dir / "hub"};
  EXPECT_EQ(FindInHubCaches(caches, "org/name"), std::nullopt);
  const fs::path repository = fs::path(dir / "hub") / "models--org--name";
  fs::create_directories(repository / "snapshots/abc");
  EXPECT_EQ(FindInHubCaches(caches, "org/name"), repository / "snapshots/abc") << "the only one";
  fs::create_directories(repository / "snapshots/def");
  EXPECT_EQ(FindInHubCaches(caches, "org/name"), std::nullopt) << "which of two, nothing says";
  fs::create_directories(repository / "refs");
  BITWRIGHT_ASSERT_OK(WriteWholeFile((repository / "refs/main").string(), "def\n"));
  EXPECT_EQ(FindInHubCaches(caches, "org/name"), repository / "snapshots/def");
  BITWRIGHT_ASSERT_OK(WriteWholeFile((repository / "refs/main").string(), "../../../elsewhere"));
  EXPECT_EQ(FindInHubCaches(caches, "org/name"), std::nullopt);
  EXPECT_EQ(FindInHubCaches(caches, "org/other"), std::nullopt);
}

TEST(HubCache, NamesTheModelOfASnapshot) {
  EXPECT_EQ(HubNameOf("/x/models--org--name/snapshots/abc"), "org/name");
  EXPECT_EQ(HubNameOf("/x/models--org--my--name/snapshots/abc/"), "org/my--name");
  for (const char* path : {"/x/models--org--name", "/x/models--org--name/blobs/abc", "/x/models--name/snapshots/abc",
                           "/x/datasets--org--name/snapshots/abc", "/x/models----name/snapshots/abc", "/", ""}) {
    EXPECT_EQ(HubNameOf(path), std::nullopt) << path;
  }
}

}  // namespace
}  // namespace bitwright::client
