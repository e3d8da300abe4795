#include "workers/agent/code_version.h"

#include "proto/contract/digest.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

TEST(CodeVersion, IsProjectVersionAndHashOfTheProgram) {
  const TempDir dir;
  ASSERT_THAT(WriteFile(dir / "program", "some code"), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string version, CodeVersion(dir / "program"));
  EXPECT_EQ(version.substr(version.find('-') + 1), Sha256Hex("some code").substr(0, 16));
  EXPECT_THAT(CodeVersion(dir / "nothing"), HasReason("FILE_UNREADABLE"));
}

}  // namespace
}  // namespace bitwright::worker
