#include "client/api/hashing.h"

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

TEST(Hashing, SameOnAnyNumberOfThreads) {
  TempDir dir;
  std::vector<std::string> paths;
  std::vector<BlobDigest> expected;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1} << 20, (size_t{1} << 20) + 7, size_t{3000000}}) {
    const std::string data(size, static_cast<char>('a' + paths.size()));
    paths.push_back(dir / std::to_string(size));
    BITWRIGHT_ASSERT_OK(WriteWholeFile(paths.back(), data));
    expected.push_back(DigestOf(data));
  }
  for (const int threads : {1, 2, 8}) {
    int64_t bytes = 0;
    CancelToken cancel;
    ASSERT_OK_AND_ASSIGN(const auto digests, HashFiles(paths, threads, cancel, [&](int64_t n) { bytes += n; }));
    EXPECT_EQ(digests, expected);
    EXPECT_EQ(bytes, 0 + 1 + (1 << 20) + (1 << 20) + 7 + 3000000);
  }
  CancelToken cancelled;
  cancelled.Cancel();
  EXPECT_THAT(HashFiles(paths, 2, cancelled, nullptr), HasReason("INTERRUPTED"));
  CancelToken cancel;
  EXPECT_THAT(HashFiles(std::vector<std::string>{dir / "none"}, 2, cancel, nullptr), HasReason("FILE_UNREADABLE"));
  EXPECT_THAT(HashFiles(std::vector<std::string>{dir.path()}, 2, cancel, nullptr), HasReason("FILE_UNREADABLE"));
}

}  // namespace
}  // namespace bitwright::client
