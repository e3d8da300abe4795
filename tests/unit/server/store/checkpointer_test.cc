#include "server/store/checkpointer.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "server/store/sqlite_schema.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

constexpr int kLogPages = 512;
constexpr absl::Duration kPatience = absl::Minutes(1);

class CheckpointerTest : public ::testing::Test {
 protected:
  CheckpointerTest() {
    writer_ = *SqliteDb::Open(dir_ / "db");
    BITWRIGHT_EXPECT_OK(MigrateSchema(*writer_, dir_ / "db"));
    BITWRIGHT_EXPECT_OK(writer_->Execute("CREATE TABLE counted (pad BLOB, value INTEGER)", "test"));
    BITWRIGHT_EXPECT_OK(writer_->Execute("INSERT INTO counted VALUES (zeroblob(3000), 0)", "test"));
    checkpointer_ = *Checkpointer::Start(dir_ / "db", kLogPages);
  }

  void Commit() {
    BITWRIGHT_ASSERT_OK(writer_->Run("UPDATE counted SET value = value + 1", "test"));
    ++commits_;
    checkpointer_->OnCommit(*writer_);
  }

  std::string Database() const {
    std::ostringstream bytes;
    bytes << std::ifstream(dir_ / "db", std::ios::binary).rdbuf();
    return bytes.str();
  }

  // Whether the log was begun anew before it had so many pages.
  bool BegunAnew(int most_pages = 1 << 20) {
    const absl::Time deadline = absl::Now() + kPatience;
    for (int before = 0; absl::Now() < deadline && writer_->log_pages() < most_pages;) {
      before = writer_->log_pages();
      Commit();
      if (writer_->log_pages() < before) return true;
    }
    return false;
  }

  static int64_t Count(SqliteDb& db) {
    Statement read = db.Prepare("SELECT value FROM counted", "test");
    EXPECT_TRUE(*read.Step());
    return read.Int(0);
  }

  TempDir dir_;
  std::unique_ptr<SqliteDb> writer_;
  std::unique_ptr<Checkpointer> checkpointer_;
  int64_t commits_ = 0;
};

TEST_F(CheckpointerTest, TheLogOfABusyWriterIsBegunAnewAgainAndAgain) {
  for (int times = 0; times < 5; ++times) ASSERT_TRUE(BegunAnew());
  EXPECT_EQ(Count(**SqliteDb::OpenReader(dir_ / "db")), commits_);
}

TEST_F(CheckpointerTest, WhoReadsKeepsTheLogAndWhatItSawAndNobodyWaits) {
  auto reader = *SqliteDb::OpenReader(dir_ / "db");
  Commit();
  BITWRIGHT_ASSERT_OK(reader->Run("BEGIN", "test"));
  const int64_t seen = Count(*reader);
  EXPECT_FALSE(BegunAnew(10 * kLogPages));
  EXPECT_EQ(Count(*reader), seen);
  BITWRIGHT_ASSERT_OK(reader->Run("COMMIT", "test"));
  EXPECT_TRUE(BegunAnew());
  EXPECT_EQ(Count(*reader), commits_);
}

TEST_F(CheckpointerTest, AShortLogIsLeftAlone) {
  const std::string before = Database();
  while (writer_->log_pages() < kLogPages / 2) Commit();
  checkpointer_.reset();
  EXPECT_TRUE(Database() == before);
  ASSERT_OK_AND_ASSIGN(const SqliteDb::Log log, writer_->Checkpoint());
  EXPECT_EQ(log.pages, writer_->log_pages());
  EXPECT_EQ(log.in_database, log.pages);
  EXPECT_FALSE(Database() == before);
}

TEST_F(CheckpointerTest, NeedsADatabase) {
  EXPECT_THAT(Checkpointer::Start(dir_ / "other"), HasReason("STORE_FAILED"));
}

}  // namespace
}  // namespace bitwright::server
