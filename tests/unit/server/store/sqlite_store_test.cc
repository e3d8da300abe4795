#include "server/store/sqlite_store.h"

#include <gmock/gmock.h>

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
      const auto models = tx.ModelsOfContent("default", "", 9);
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

TEST(SqliteStore, RowsOfBeforeTenantsBelongToTheDefaultOne) {
  TempDir dir;
  {
    auto db = *SqliteDb::Open(dir / "db");
    std::ostringstream old;
    old << std::ifstream(SourcePath("tests/golden/store/schema_3.sql")).rdbuf();
    BITWRIGHT_ASSERT_OK(db->Execute(old.str(), "test"));
  }
  auto store = *OpenSqliteStore(dir / "db");
  BITWRIGHT_EXPECT_OK(store->Write([](Transaction& tx) -> absl::Status {
    EXPECT_EQ(tx.ListModels({.tenant = "default", .limit = 9})->size(), 2u);
    EXPECT_EQ(tx.ModelsOfContent("default", "c", 9)->size(), 1u);
    EXPECT_EQ(tx.ListJobs({.tenant = "default", .limit = 9})->size(), 3u) << "the ended one, too";
    EXPECT_EQ((*tx.GetJob("jobs/queued"))->priority, 4);
    EXPECT_EQ(tx.JobsWithoutPriority(9)->at(0).name, "jobs/early");
    EXPECT_EQ(*tx.CountJobsOf("default", 1), 2);
    EXPECT_EQ(*tx.GetAction("default", "digest"), "result");
    EXPECT_EQ((*tx.GetRequest("default", "CreateJob/r"))->resource, "jobs/queued");
    EXPECT_TRUE(*tx.TenantHasBlob("default", {"text", 3}))
        << "it may have been brought for a job that is not there yet";
    EXPECT_FALSE(*tx.TenantHasBlob("other", {"file", 100}));
    EXPECT_EQ(*tx.BytesOf("default"), 123);
    // All are used no more: what is named is still the tenant's.
    EXPECT_EQ(*tx.DropHoldings(100, 9), 3);
    EXPECT_EQ(*tx.BytesOf("default"), 100);
    EXPECT_EQ(tx.Garbage(100, 9)->at(0).digest.sha256, "text");
    // An entry goes with its output, as before.
    EXPECT_TRUE(*tx.RemoveBlobIfUnused({"output", 20}, 100));
    EXPECT_FALSE(tx.GetAction("default", "digest")->has_value());
    return absl::OkStatus();
  }));
}

TEST(SqliteStore, ListsOfATenantAreServedByIndexes) {
  TempDir dir;
  { BITWRIGHT_ASSERT_OK(OpenSqliteStore(dir / "db")); }
  auto db = *SqliteDb::Open(dir / "db");
  const auto plan = [&](const char* sql) {
    Statement explain = db->Prepare(sql, "test");
    std::string steps;
    while (*explain.Step()) steps += explain.Str(3) + "; ";
    return steps;
  };
  using ::testing::HasSubstr;
  using ::testing::Not;
  const std::string all =
      plan("EXPLAIN QUERY PLAN SELECT body FROM jobs WHERE tenant = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?");
  EXPECT_THAT(all, HasSubstr("jobs_tenant"));
  EXPECT_THAT(all, Not(HasSubstr("TEMP B-TREE")));
  const std::string state = plan(
      "EXPLAIN QUERY PLAN SELECT body FROM jobs WHERE tenant = ? AND state = ? AND sequence < ? "
      "ORDER BY sequence DESC LIMIT ?");
  EXPECT_THAT(state, HasSubstr("jobs_state"));
  EXPECT_THAT(state, Not(HasSubstr("TEMP B-TREE")));
  EXPECT_THAT(plan("EXPLAIN QUERY PLAN SELECT body FROM jobs WHERE tenant = ? AND name >= ? AND name < ? AND "
                   "+sequence < ? ORDER BY +sequence DESC LIMIT ?"),
              HasSubstr("jobs_name (tenant=? AND name>? AND name<?)"));
  EXPECT_THAT(plan("EXPLAIN QUERY PLAN SELECT body FROM models WHERE tenant = ? AND name >= ? AND name < ? AND "
                   "+sequence < ? ORDER BY +sequence DESC LIMIT ?"),
              HasSubstr("models_name (tenant=? AND name>? AND name<?)"));
  EXPECT_THAT(plan("EXPLAIN QUERY PLAN SELECT sha256 FROM holdings WHERE last_use < ? ORDER BY last_use LIMIT ?"),
              HasSubstr("holdings_last_use (last_use<?)"));
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
