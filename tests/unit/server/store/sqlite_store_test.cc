#include "server/store/sqlite_store.h"

#include "server/store/sqlite_db.h"
#include "tests/conformance/store_suite.h"
#include "tests/support/fixtures.h"

namespace bitwright::server {
namespace {

// A store with the folder that it lives in.
class FileStore final : public Store {
 public:
  FileStore() : store_(*OpenSqliteStore(dir_ / "db.sqlite")) {}
  absl::Status Read(const std::function<absl::Status(Snapshot&)>& body) override { return store_->Read(body); }
  absl::Status Write(const std::function<absl::Status(Transaction&)>& body) override { return store_->Write(body); }

 private:
  TempDir dir_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite,
                         ::testing::Values(StoreCase{"File", [] { return std::make_unique<FileStore>(); }},
                                           StoreCase{"Memory", [] { return *OpenSqliteStore(":memory:"); }}),
                         StoreCaseName);

TEST(SqliteStore, WhatWasWrittenIsThereAfterReopening) {
  TempDir dir;
  {
    auto store = *OpenSqliteStore(dir / "db");
    BITWRIGHT_ASSERT_OK(store->Write([](Transaction& tx) { return tx.PutModel({.name = "models/a", .body = "b"}); }));
  }
  auto store = *OpenSqliteStore(dir / "db");
  BITWRIGHT_EXPECT_OK(store->Read([](Snapshot& snapshot) {
    const auto row = snapshot.GetModel("models/a");
    EXPECT_TRUE(row.ok() && row->has_value());
    return row.status();
  }));
}

TEST(SqliteStore, AFileOfALaterProgramIsRefused) {
  TempDir dir;
  BITWRIGHT_ASSERT_OK(OpenSqliteStore(dir / "db"));
  {
    auto db = *SqliteDb::Open(dir / "db");
    BITWRIGHT_ASSERT_OK(db->Execute("INSERT INTO schema_version VALUES (999)", "test"));
  }
  EXPECT_THAT(OpenSqliteStore(dir / "db"), HasReason("STORE_NEWER"));
}

TEST(SqliteStore, SyncsEveryCommit) {
  TempDir dir;
  auto db = *SqliteDb::Open(dir / "db");
  Statement journal = db->Prepare("PRAGMA journal_mode", "test");
  ASSERT_TRUE(*journal.Step());
  EXPECT_EQ(journal.Str(0), "wal");
  Statement synchronous = db->Prepare("PRAGMA synchronous", "test");
  ASSERT_TRUE(*synchronous.Step());
  EXPECT_EQ(synchronous.Int(0), 2) << "FULL";
}

TEST(SqliteStore, AFolderThatIsNotThereIsAnError) {
  EXPECT_THAT(OpenSqliteStore("/nonexistent/db"), HasReason("STORE_FAILED"));
}

}  // namespace
}  // namespace bitwright::server
