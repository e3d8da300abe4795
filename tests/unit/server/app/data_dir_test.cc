#include "server/app/data_dir.h"

#include <fstream>
#include <iterator>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

TEST(DataDir, HasOneServerAtATime) {
  TempDir dir;
  {
    const auto first = DataDir::Open(dir / "new/data");
    BITWRIGHT_ASSERT_OK(first);
    EXPECT_THAT(DataDir::Open(dir / "new/data"), HasReason("DATA_DIR_LOCKED"));
    BITWRIGHT_EXPECT_OK((*first)->WorkDir(3));
  }
  BITWRIGHT_EXPECT_OK(DataDir::Open(dir / "new/data"));
}

TEST(DataDir, AFileIsNoDirectory) {
  TempDir dir;
  std::ofstream(dir / "file") << "x";
  EXPECT_THAT(DataDir::Open(dir / "file"), HasReason("DATA_DIR_UNUSABLE"));
}

TEST(PortFile, HoldsTheAddress) {
  TempDir dir;
  BITWRIGHT_ASSERT_OK(WritePortFile(dir / "port", "127.0.0.1:5"));
  std::ifstream file(dir / "port");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "127.0.0.1:5\n");
  EXPECT_THAT(WritePortFile(dir / "none/port", "x"), HasReason("PORT_FILE_UNWRITABLE"));
}

}  // namespace
}  // namespace bitwright::server
