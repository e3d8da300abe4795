#include "server/store/sqlite_store.h"

#include <atomic>
#include <fstream>
#include <sstream>

#include "absl/synchronization/notification.h"
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
  absl::Status Write(const Body& body) override { return store_->Write(body); }
  void Submit(Body body, Done done) override { store_->Submit(std::move(body), std::move(done)); }

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

TEST(SqliteStore, AnOldDatabaseIsBroughtUpToDate) {
  TempDir dir;
  {
    auto db = *SqliteDb::Open(dir / "db");
    std::ostringstream old;
    old << std::ifstream(SourcePath("tests/golden/store/schema_1.sql")).rdbuf();
    BITWRIGHT_ASSERT_OK(db->Execute(old.str(), "test"));
  }
  for (int opened = 0; opened < 2; ++opened) {
    auto store = *OpenSqliteStore(dir / "db");
    BITWRIGHT_EXPECT_OK(store->Write([&](Transaction& tx) -> absl::Status {
      const auto models = tx.ModelsOfContent("", 9);
      EXPECT_EQ(models->size(), 2u - opened) << "content is not known yet";
      const auto model = tx.GetModel("models/a");
      EXPECT_EQ((*model)->body, "model body");
      EXPECT_EQ((*model)->info, "info digest");
      EXPECT_EQ((*tx.GetJob("jobs/a"))->recipe, "recipe");
      ModelRow known = **model;
      known.content = "c";
      return tx.PutModel(known);
    }));
  }
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

TEST(SqliteStore, WritesNothingOnceAnotherLeads) {
  TempDir dir;
  auto store = *OpenSqliteStore(dir / "db");
  const auto put = [&] { return store->Write([](Transaction& tx) { return tx.PutModel({.name = "models/a"}); }); };
  BITWRIGHT_ASSERT_OK(put());
  {
    auto other = *SqliteDb::Open(dir / "db");
    BITWRIGHT_ASSERT_OK(other->Execute("UPDATE leader SET term = 2", "test"));
  }
  EXPECT_THAT(put(), HasReason("TERM_ENDED"));
}

TEST(SqliteStore, WhatWaitsIsCommittedTogether) {
  TempDir dir;
  std::atomic<int> commits = 0;
  std::atomic<int> transactions = 0;
  constexpr int kCount = 200;
  {
    auto store = *OpenSqliteStore(dir / "db", [&](int count, double, bool committed) {
      EXPECT_TRUE(committed);
      ++commits;
      transactions += count;
    });
    absl::Notification begun, go;
    store->Submit(
        [&](Transaction&) {
          begun.Notify();
          go.WaitForNotification();
          return absl::OkStatus();
        },
        [](const absl::Status&) {});
    begun.WaitForNotification();
    for (int i = 0; i < kCount; ++i) {
      store->Submit([i](Transaction& tx) { return tx.PutModel({.name = "models/" + std::to_string(i)}); },
                    [](const absl::Status& fate) { EXPECT_THAT(fate, IsOk()); });
    }
    go.Notify();
  }
  EXPECT_EQ(transactions, kCount + 1);
  EXPECT_EQ(commits, 2);
}

TEST(SqliteStore, AFolderThatIsNotThereIsAnError) {
  EXPECT_THAT(OpenSqliteStore("/nonexistent/db"), HasReason("STORE_FAILED"));
}

}  // namespace
}  // namespace bitwright::server
