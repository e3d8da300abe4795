#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "server/store/change.h"
#include "server/store/store.h"
#include "tests/support/status_matchers.h"

// What every implementation of Store must do. Include it in one test file per implementation and instantiate:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreSuite, ::testing::Values(StoreCase{"file", MakeFileStore}), StoreCaseName);
namespace bitwright::server {

struct StoreCase {
  std::string name;
  std::function<std::unique_ptr<Store>()> make;  // an empty store
};
inline std::string StoreCaseName(const ::testing::TestParamInfo<StoreCase>& info) { return info.param.name; }

class StoreSuite : public ::testing::TestWithParam<StoreCase> {
 protected:
  void SetUp() override { store_ = GetParam().make(); }

  void Write(const std::function<absl::Status(Transaction&)>& body) { BITWRIGHT_ASSERT_OK(store_->Write(body)); }
  template <typename T>
  T Read(const std::function<absl::StatusOr<T>(Snapshot&)>& body) {
    std::optional<T> value;
    EXPECT_THAT(store_->Read([&](Snapshot& snapshot) {
      absl::StatusOr<T> result = body(snapshot);
      if (result.ok()) value = *std::move(result);
      return result.status();
    }),
                IsOk());
    return *std::move(value);
  }
  bool Has(const BlobDigest& digest) {
    return Read<bool>([&](Snapshot& s) { return s.HasBlob(digest); });
  }
  void PutBlob(const BlobDigest& digest, int64_t last_use) {
    Write([&](Transaction& tx) { return tx.PutBlob({digest, last_use}); });
  }

  std::unique_ptr<Store> store_;
};

TEST_P(StoreSuite, ModelsAreListedNewestFirstAndKeepTheirOrder) {
  Write([](Transaction& tx) -> absl::Status {
    for (const char* name : {"models/a", "models/b", "models/c"}) {
      if (auto status = tx.PutModel({.name = name, .body = std::string("body\0x", 6)}); !status.ok()) return status;
    }
    return tx.PutModel({.name = "models/a", .unfinished = false, .body = "new", .info = "i"});
  });
  const auto rows = Read<std::vector<ModelRow>>([](Snapshot& s) { return s.ListModels({.limit = 10}); });
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].name, "models/c");
  EXPECT_EQ(rows[0].body, std::string("body\0x", 6));
  EXPECT_EQ(rows[2].body, "new") << "replaced in its place";
  EXPECT_EQ(rows[2].info, "i");
  const auto older =
      Read<std::vector<ModelRow>>([&](Snapshot& s) { return s.ListModels({.beyond = rows[0].order, .limit = 1}); });
  ASSERT_EQ(older.size(), 1u);
  EXPECT_EQ(older[0].name, "models/b");
  EXPECT_EQ(Read<std::vector<std::string>>([](Snapshot& s) { return s.UnfinishedModels("", 10); }),
            (std::vector<std::string>{"models/b", "models/c"}));
  EXPECT_EQ(Read<std::vector<ModelRow>>([](Snapshot& s) {
              return s.ListModels({.limit = 9, .name_prefix = "models/b"});
            }).size(),
            1u);
  Write([](Transaction& tx) { return tx.DeleteModel("models/b"); });
  EXPECT_FALSE(Read<std::optional<ModelRow>>([](Snapshot& s) { return s.GetModel("models/b"); }).has_value());
}

TEST_P(StoreSuite, ModelsAreFoundByTheirContent) {
  Write([](Transaction& tx) -> absl::Status {
    for (const char* name : {"models/a", "models/b", "models/c"}) {
      const std::string content = name == std::string("models/b") ? "two" : "one";
      if (auto status = tx.PutModel({.name = name, .body = "b", .content = content}); !status.ok()) return status;
    }
    return tx.PutModel({.name = "models/d", .body = "b"});
  });
  const auto found = [this](const char* content, int limit) {
    return Read<std::vector<ModelRow>>([&](Snapshot& s) { return s.ModelsOfContent("", content, limit); });
  };
  ASSERT_EQ(found("one", 9).size(), 2u);
  EXPECT_EQ(found("one", 9)[0].name, "models/c") << "newest first";
  EXPECT_EQ(found("one", 1).size(), 1u);
  EXPECT_EQ(found("", 9).at(0).name, "models/d");
  EXPECT_EQ(found("three", 9).size(), 0u);
}

TEST_P(StoreSuite, JobsAreFoundByStateModelAndName) {
  Write([](Transaction& tx) -> absl::Status {
    for (int i = 0; i < 6; ++i) {
      const JobRow row{.name = "jobs/" + std::to_string(i),
                       .model = i < 3 ? "models/a" : "models/b",
                       .state = i % 2 + 1,
                       .unfinished = i >= 4,
                       .body = "b",
                       .recipe = "r",
                       .pinned_class = "c",
                       .pinned_code = "d"};
      if (auto status = tx.PutJob(row); !status.ok()) return status;
    }
    return absl::OkStatus();
  });
  const auto twos = Read<std::vector<JobRow>>([](Snapshot& s) { return s.ListJobs({.limit = 2, .state = 2}); });
  ASSERT_EQ(twos.size(), 2u);
  EXPECT_EQ(twos[0].name, "jobs/5");
  EXPECT_EQ(twos[1].name, "jobs/3");
  EXPECT_EQ(twos[1].recipe + twos[1].pinned_class + twos[1].pinned_code, "rcd");
  EXPECT_EQ(Read<std::vector<JobRow>>([](Snapshot& s) { return s.ListJobs({.limit = 100}); }).size(), 6u);
  const auto names = [this](const RowQuery& query) {
    std::vector<std::string> names;
    for (const JobRow& row : Read<std::vector<JobRow>>([&](Snapshot& s) { return s.ListJobs(query); })) {
      names.push_back(row.name);
    }
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({.oldest_first = true, .limit = 2}), (Names{"jobs/0", "jobs/1"}));
  EXPECT_EQ(names({.oldest_first = true, .beyond = twos[1].order, .limit = 9}), (Names{"jobs/4", "jobs/5"}));
  EXPECT_EQ(names({.limit = 9, .name_prefix = "jobs/3"}), (Names{"jobs/3"}));
  EXPECT_EQ(names({.limit = 2, .state = 2, .name_prefix = "jobs/"}), (Names{"jobs/5", "jobs/3"}));
  EXPECT_EQ(names({.limit = 9, .state = 1, .name_prefix = "jobs/3"}), Names());
  EXPECT_EQ(Read<Names>([](Snapshot& s) { return s.UnfinishedJobs(1, 9); }), Names{"jobs/4"});
  EXPECT_EQ(Read<Names>([](Snapshot& s) { return s.UnfinishedJobs(2, 9); }), Names{"jobs/5"});
  const auto user = [this](const char* model) {
    return Read<std::optional<std::string>>([&](Snapshot& s) { return s.JobUsing(model); }).has_value();
  };
  EXPECT_FALSE(user("models/a"));
  EXPECT_TRUE(user("models/b"));
  const auto counts = Read<std::vector<std::pair<int, int64_t>>>([](Snapshot& s) { return s.CountJobs(); });
  EXPECT_EQ(counts, (std::vector<std::pair<int, int64_t>>{{1, 3}, {2, 3}}));
}

TEST_P(StoreSuite, TheQueueIsInOrderOfPriorityThenAge) {
  Write([](Transaction& tx) -> absl::Status {
    const auto put = [&](const char* name, int priority, const char* tenant, int state) {
      return tx.PutJob(
          {.name = name, .state = state, .unfinished = state == 1, .priority = priority, .tenant = tenant});
    };
    for (const absl::Status& status :
         {put("jobs/old", 0, "a", 1), put("jobs/urgent", 5, "a", 1), put("jobs/new", 0, "a", 1),
          put("jobs/other", 9, "b", 1), put("jobs/ended", 9, "a", 3), put("jobs/early", kUnknownPriority, "c", 1)}) {
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  });
  const auto queue = [this](const char* tenant, int limit) {
    std::vector<std::string> names;
    for (const QueuedJob& job : Read<std::vector<QueuedJob>>([&](Snapshot& s) { return s.Queue(1, tenant, limit); })) {
      names.push_back(job.name + " " + std::to_string(job.priority));
    }
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(queue("a", 9), (Names{"jobs/urgent 5", "jobs/old 0", "jobs/new 0"}));
  EXPECT_EQ(queue("a", 2), (Names{"jobs/urgent 5", "jobs/old 0"}));
  EXPECT_EQ(queue("b", 9), Names{"jobs/other 9"});
  EXPECT_EQ(Read<Names>([](Snapshot& s) { return s.TenantsWith(1); }), (Names{"a", "b", "c"}));
  const auto without = Read<std::vector<JobRow>>([](Snapshot& s) { return s.JobsWithoutPriority(9); });
  ASSERT_EQ(without.size(), 1u);
  EXPECT_EQ(without[0].name, "jobs/early");
}

TEST_P(StoreSuite, OneTransactionsFaultUndoesNoOther) {
  constexpr int kCount = 100;
  std::vector<absl::Status> fates(kCount);
  std::vector<int> order;
  absl::Notification last;
  for (int i = 0; i < kCount; ++i) {
    store_->Submit(
        [i](Transaction& tx) -> absl::Status {
          const std::string name = "models/" + std::to_string(i);
          if (absl::Status status = tx.PutModel({.name = name, .body = "b"}); !status.ok()) return status;
          return i % 3 == 0 ? absl::AbortedError("changed its mind") : absl::OkStatus();
        },
        [&, i](const absl::Status& fate) {
          fates[i] = fate;
          order.push_back(i);
          if (i == kCount - 1) last.Notify();
        });
  }
  last.WaitForNotification();
  for (int i = 0; i < kCount; ++i) {
    EXPECT_EQ(order[i], i) << "answers come in order";
    EXPECT_EQ(fates[i].ok(), i % 3 != 0);
    EXPECT_EQ(Read<bool>([&](Snapshot& s) { return s.HasModel("models/" + std::to_string(i)); }), i % 3 != 0);
  }
}

TEST_P(StoreSuite, ManyThreadsWriteAndReadWhatTheyWrote) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string name = "models/" + std::to_string(t) + "-" + std::to_string(i);
        EXPECT_THAT(store_->Write([&](Transaction& tx) { return tx.PutModel({.name = name, .body = "b"}); }), IsOk());
        EXPECT_TRUE(Read<bool>([&](Snapshot& s) { return s.HasModel(name); })) << name;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(StoreSuite, TotalsFollowEveryChange) {
  const auto totals = [this] {
    const auto found = Read<BlobTotals>([](Snapshot& s) { return s.CountBlobs(); });
    return std::pair(found.count, found.bytes);
  };
  const BlobDigest a = DigestOf("a");
  const BlobDigest b = DigestOf("bb");
  PutBlob(a, 1);
  PutBlob(b, 1);
  PutBlob(a, 2);
  EXPECT_EQ(totals(), (std::pair<int64_t, int64_t>(2, 3)));
  Write([&](Transaction& tx) { return tx.ForgetBlob(b.sha256); });
  EXPECT_EQ(totals(), (std::pair<int64_t, int64_t>(1, 1)));
  const auto jobs = [this] {
    std::map<int, int64_t> counts;
    for (const auto& [state, count] :
         Read<std::vector<std::pair<int, int64_t>>>([](Snapshot& s) { return s.CountJobs(); })) {
      if (count != 0) counts[state] = count;
    }
    return counts;
  };
  Write([](Transaction& tx) { return tx.PutJob({.name = "jobs/a", .state = 1}); });
  Write([](Transaction& tx) { return tx.PutJob({.name = "jobs/b", .state = 1}); });
  Write([](Transaction& tx) { return tx.PutJob({.name = "jobs/a", .state = 2}); });
  EXPECT_EQ(jobs(), (std::map<int, int64_t>{{1, 1}, {2, 1}}));
  Write([](Transaction& tx) { return tx.DeleteJob("jobs/b"); });
  EXPECT_EQ(jobs(), (std::map<int, int64_t>{{2, 1}}));
}

TEST_P(StoreSuite, AChangeIsRefusedWhereATaskIsNotAsItExpects) {
  const auto apply = [this](const Change& change) {
    return store_->Write([&](Transaction& tx) { return Apply(tx, change); });
  };
  Change lease;
  lease.expected = {{"tasks/t", TaskState::kWaiting, 0}};
  lease.tasks = {{.name = "tasks/t", .owner = "jobs/j", .key = "k", .state = TaskState::kLeased, .fencing_token = 5}};
  BITWRIGHT_ASSERT_OK(apply(lease)) << "the store need not know it";
  EXPECT_THAT(apply(lease), HasReason("CHANGE_REFUSED")) << "leased by now";
  Change done;
  done.expected = {{"tasks/t", TaskState::kLeased, 5}};
  done.held = {DigestOf("output")};
  done.held_for = "the result";
  done.tasks = {{.name = "tasks/t", .owner = "jobs/j", .key = "k", .state = TaskState::kDone, .fencing_token = 5}};
  done.action = ActionRow{"", "digest", "result", done.held};
  done.references = {{"jobs/j/tasks", "", done.held}};
  EXPECT_THAT(apply(done), HasReason("BLOB_MISSING"));
  EXPECT_EQ(Read<std::optional<TaskRow>>([](Snapshot& s) { return s.GetTask("tasks/t"); })->state, TaskState::kLeased);
  EXPECT_FALSE(Read<std::optional<std::string>>([](Snapshot& s) { return s.GetAction("", "digest"); }).has_value());
  PutBlob(DigestOf("output"), 1);
  done.expected[0].fencing_token = 4;
  EXPECT_THAT(apply(done), HasReason("CHANGE_REFUSED")) << "another lease";
  done.expected[0].fencing_token = 5;
  BITWRIGHT_EXPECT_OK(apply(done));
  EXPECT_EQ(Read<std::optional<std::string>>([](Snapshot& s) { return s.GetAction("", "digest"); }), "result");
  Change gone;
  gone.model = ModelRow{.name = "models/deleted"};
  EXPECT_THAT(apply(gone), HasReason("CHANGE_REFUSED"));
  Change lost;
  lost.dropped_action = "digest";
  lost.dropped_blob = DigestOf("output").sha256;
  BITWRIGHT_EXPECT_OK(apply(lost));
  EXPECT_FALSE(Has(DigestOf("output")));
}

TEST_P(StoreSuite, TasksKeepEveryField) {
  const TaskRow row{.name = "tasks/t",
                    .owner = "jobs/j",
                    .key = "evaluate[0,1]",
                    .state = TaskState::kLeased,
                    .attempt = 2,
                    .not_before_micros = 3,
                    .worker = "workers/w",
                    .worker_host = "h",
                    .worker_process = 4,
                    .fencing_token = 5,
                    .lease_expiry_micros = 6,
                    .digest = "d",
                    .result = "r",
                    .error = "e",
                    .seconds = 7.5,
                    .cached = true,
                    .begin_micros = 8,
                    .end_micros = 9};
  Write([&](Transaction& tx) -> absl::Status {
    if (auto status = tx.PutTask(row); !status.ok()) return status;
    return tx.PutTask({.name = "tasks/u", .owner = "jobs/k", .key = "x"});
  });
  const auto read = Read<std::vector<TaskRow>>([](Snapshot& s) { return s.TasksOf("jobs/j"); });
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(std::tie(read[0].name, read[0].owner, read[0].key, read[0].state, read[0].attempt, read[0].worker,
                     read[0].worker_host, read[0].worker_process, read[0].fencing_token, read[0].lease_expiry_micros,
                     read[0].digest, read[0].result, read[0].error, read[0].seconds, read[0].cached,
                     read[0].not_before_micros, read[0].begin_micros, read[0].end_micros),
            std::tie(row.name, row.owner, row.key, row.state, row.attempt, row.worker, row.worker_host,
                     row.worker_process, row.fencing_token, row.lease_expiry_micros, row.digest, row.result, row.error,
                     row.seconds, row.cached, row.not_before_micros, row.begin_micros, row.end_micros));
  Write([&](Transaction& tx) { return tx.PutTask({.name = "tasks/v", .owner = "jobs/j", .key = row.key + "z"}); });
  const auto page = [&](const std::string& after, int limit) {
    return Read<std::vector<TaskRow>>([&](Snapshot& s) { return s.TasksPage("jobs/j", after, limit); });
  };
  EXPECT_EQ(page("", 10).size(), 2u);
  ASSERT_EQ(page("", 1).size(), 1u);
  EXPECT_EQ(page("", 1)[0].key, row.key);
  ASSERT_EQ(page(row.key, 10).size(), 1u);
  EXPECT_EQ(page(row.key, 10)[0].name, "tasks/v");
  EXPECT_TRUE(page(row.key + "z", 10).empty());
  Write([](Transaction& tx) { return tx.DeleteJob("jobs/j"); });
  EXPECT_FALSE(Read<std::optional<TaskRow>>([](Snapshot& s) { return s.GetTask("tasks/t"); }).has_value());
  EXPECT_TRUE(Read<std::optional<TaskRow>>([](Snapshot& s) { return s.GetTask("tasks/u"); }).has_value());
}

TEST_P(StoreSuite, AFailedTransactionLeavesNothing) {
  const absl::Status status = store_->Write([](Transaction& tx) -> absl::Status {
    (void)tx.PutModel({.name = "models/a", .body = "b"});
    return absl::AbortedError("no");
  });
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_FALSE(Read<std::optional<ModelRow>>([](Snapshot& s) { return s.GetModel("models/a"); }).has_value());
}

TEST_P(StoreSuite, OnlyUnnamedAndUnusedBlobsAreRemoved) {
  const BlobDigest blob = DigestOf("x");
  PutBlob(blob, 100);
  EXPECT_TRUE(Has(blob));
  EXPECT_FALSE(Has({blob.sha256, 2})) << "another size";
  const auto remove = [&](int64_t cutoff) {
    bool removed = false;
    Write([&](Transaction& tx) -> absl::Status {
      auto result = tx.RemoveBlobIfUnused(blob, cutoff);
      removed = result.ok() && *result;
      return result.status();
    });
    return removed;
  };
  EXPECT_FALSE(remove(100)) << "used at that very time";
  Write([&](Transaction& tx) { return tx.AddReferences("models/a", "", {blob}); });
  Write([&](Transaction& tx) { return tx.AddReferences("jobs/a", "", {blob}); });
  EXPECT_FALSE(remove(200));
  Write([](Transaction& tx) { return tx.ClearReferences("models/a"); });
  EXPECT_FALSE(remove(200));
  Write([](Transaction& tx) { return tx.ClearReferences("jobs/a"); });
  Write([&](Transaction& tx) { return tx.TouchBlobs({blob, DigestOf("absent")}, 300); });
  EXPECT_FALSE(remove(200));
  EXPECT_TRUE(remove(301));
  EXPECT_FALSE(Has(blob));
}

TEST_P(StoreSuite, CacheAndGarbageAreToldApart) {
  const BlobDigest garbage = DigestOf("g");
  const BlobDigest cached = DigestOf("cached");
  const BlobDigest other = DigestOf("other one");
  const BlobDigest named = DigestOf("named");
  for (const auto& [blob, time] :
       {std::pair(garbage, 1), std::pair(cached, 3), std::pair(other, 2), std::pair(named, 1)}) {
    PutBlob(blob, time);
  }
  Write([&](Transaction& tx) -> absl::Status {
    if (auto status = tx.PutAction("", "action", "result", {cached, other}); !status.ok()) return status;
    return tx.AddReferences("jobs/j", "", {named});
  });
  const auto list = [this](bool cold, int64_t cutoff) {
    std::vector<std::string> names;
    for (const BlobRow& row : Read<std::vector<BlobRow>>(
             [&](Snapshot& s) { return cold ? s.ColdCache(cutoff, 10) : s.Garbage(cutoff, 10); })) {
      names.push_back(row.digest.sha256);
    }
    return names;
  };
  EXPECT_EQ(list(false, 10), std::vector<std::string>{garbage.sha256});
  EXPECT_EQ(list(true, 10), (std::vector<std::string>{other.sha256, cached.sha256})) << "oldest use first";
  EXPECT_EQ(list(true, 3), std::vector<std::string>{other.sha256});
  EXPECT_EQ(Read<int64_t>([](Snapshot& s) { return s.CacheBytes(); }), cached.size_bytes + other.size_bytes);
  // One output gone: the entry is worth nothing, its other outputs are garbage.
  Write([&](Transaction& tx) { return tx.RemoveBlobIfUnused(other, 10).status(); });
  EXPECT_FALSE(Read<std::optional<std::string>>([](Snapshot& s) { return s.GetAction("", "action"); }).has_value());
  EXPECT_EQ(list(false, 10), (std::vector<std::string>{garbage.sha256, cached.sha256}));
  const auto totals = Read<BlobTotals>([](Snapshot& s) { return s.CountBlobs(); });
  EXPECT_EQ(totals.count, 3);
  EXPECT_EQ(totals.bytes, garbage.size_bytes + cached.size_bytes + named.size_bytes);
  EXPECT_EQ(Read<std::vector<BlobDigest>>([](Snapshot& s) { return s.AllBlobs(); }).size(), 3u);
}

TEST_P(StoreSuite, ListsAreOfOneTenant) {
  Write([](Transaction& tx) -> absl::Status {
    for (const char* tenant : {"a", "b"}) {
      for (const char* id : {"1", "2"}) {
        const std::string name = std::string(tenant) + id;
        if (auto status = tx.PutModel({.name = "models/" + name, .body = "m", .content = "c", .tenant = tenant});
            !status.ok()) {
          return status;
        }
        if (auto status =
                tx.PutJob({.name = "jobs/" + name, .state = 1, .unfinished = true, .body = "j", .tenant = tenant});
            !status.ok()) {
          return status;
        }
      }
    }
    return absl::OkStatus();
  });
  using Names = std::vector<std::string>;
  const auto jobs = [this](const RowQuery& query) {
    Names names;
    for (const JobRow& row : Read<std::vector<JobRow>>([&](Snapshot& s) { return s.ListJobs(query); })) {
      EXPECT_EQ(row.tenant, query.tenant);
      names.push_back(row.name);
    }
    return names;
  };
  EXPECT_EQ(jobs({.tenant = "a", .limit = 9}), (Names{"jobs/a2", "jobs/a1"}));
  EXPECT_EQ(jobs({.tenant = "b", .oldest_first = true, .limit = 9, .state = 1}), (Names{"jobs/b1", "jobs/b2"}));
  EXPECT_EQ(jobs({.tenant = "a", .limit = 9, .name_prefix = "jobs/b"}), Names());
  EXPECT_EQ(jobs({.tenant = "b", .limit = 9, .name_prefix = "jobs/"}), (Names{"jobs/b2", "jobs/b1"}));
  EXPECT_EQ(jobs({.tenant = "c", .limit = 9}), Names());
  EXPECT_EQ(Read<std::vector<ModelRow>>([](Snapshot& s) { return s.ListModels({.tenant = "b", .limit = 9}); }).size(),
            2u);
  const auto content = Read<std::vector<ModelRow>>([](Snapshot& s) { return s.ModelsOfContent("a", "c", 9); });
  ASSERT_EQ(content.size(), 2u);
  EXPECT_EQ(content[0].name + content[0].tenant, "models/a2a");
  EXPECT_EQ(Read<Names>([](Snapshot& s) { return s.TenantsInspecting(); }), (Names{"a", "b"}));
  EXPECT_EQ(Read<Names>([](Snapshot& s) { return s.UnfinishedModels("b", 9); }), (Names{"models/b1", "models/b2"}));
  EXPECT_EQ(Read<Names>([](Snapshot& s) { return s.UnfinishedJobs(1, 9); }).size(), 4u) << "of all";
  const auto count = [this](const char* tenant, int state) {
    return Read<int64_t>([&](Snapshot& s) { return s.CountJobsOf(tenant, state); });
  };
  EXPECT_EQ(count("a", 1), 2);
  Write([](Transaction& tx) { return tx.PutJob({.name = "jobs/a1", .state = 2, .tenant = "a"}); });
  EXPECT_EQ(count("a", 1), 1);
  EXPECT_EQ(count("a", 2), 1);
  EXPECT_EQ(count("b", 1), 2);
  Write([](Transaction& tx) { return tx.DeleteJob("jobs/a1"); });
  EXPECT_EQ(count("a", 2), 0);
  EXPECT_EQ(count("c", 1), 0);
}

TEST_P(StoreSuite, ABlobIsOfTheTenantsThatHoldOrNameIt) {
  const BlobDigest blob = DigestOf("shared");
  const auto of = [&](const char* tenant) {
    return Read<bool>([&](Snapshot& s) { return s.TenantHasBlob(tenant, blob); });
  };
  Write([&](Transaction& tx) { return tx.PutHoldings("a", {blob}, 5); });
  EXPECT_FALSE(of("a")) << "a holding without the blob is nothing";
  PutBlob(blob, 5);
  EXPECT_TRUE(of("a"));
  EXPECT_FALSE(of("b"));
  EXPECT_FALSE(Read<bool>([&](Snapshot& s) { return s.TenantHasBlob("a", {blob.sha256, 1}); })) << "another size";
  Write([&](Transaction& tx) { return tx.AddReferences("jobs/b", "b", {blob}); });
  EXPECT_TRUE(of("b"));
  EXPECT_FALSE(of("c"));
  const auto drop = [this](int64_t cutoff, int limit) {
    int dropped = -1;
    Write([&](Transaction& tx) -> absl::Status {
      const auto result = tx.DropHoldings(cutoff, limit);
      dropped = result.ok() ? *result : -1;
      return result.status();
    });
    return dropped;
  };
  Write([&](Transaction& tx) { return tx.PutHoldings("a", {blob}, 8); });
  Write([&](Transaction& tx) { return tx.PutHoldings("a", {blob}, 3); });
  EXPECT_EQ(drop(8, 9), 0) << "used at that very time";
  EXPECT_EQ(drop(9, 9), 1);
  EXPECT_FALSE(of("a"));
  EXPECT_TRUE(of("b")) << "named";
  Write([&](Transaction& tx) { return tx.PutHoldings("b", {blob, DigestOf("other")}, 1); });
  EXPECT_EQ(drop(9, 1), 1);
  EXPECT_EQ(drop(9, 1), 1);
  EXPECT_EQ(drop(9, 1), 0);
  Write([](Transaction& tx) { return tx.ClearReferences("jobs/b"); });
  EXPECT_FALSE(of("b"));
  Write([&](Transaction& tx) { return tx.PutHoldings("a", {blob}, 9); });
  Write([&](Transaction& tx) { return tx.ForgetBlob(blob.sha256); });
  EXPECT_EQ(drop(99, 9), 0) << "its holdings went with it";
}

TEST_P(StoreSuite, TheBytesOfATenantCountEachBlobOnce) {
  const BlobDigest one = DigestOf("1");
  const BlobDigest three = DigestOf("333");
  const auto bytes = [this](const char* tenant) {
    return Read<int64_t>([&](Snapshot& s) { return s.BytesOf(tenant); });
  };
  EXPECT_EQ(bytes("a"), 0);
  PutBlob(one, 1);
  PutBlob(three, 1);
  Write([&](Transaction& tx) { return tx.PutHoldings("a", {one, three}, 1); });
  Write([&](Transaction& tx) { return tx.PutHoldings("a", {one}, 2); });
  EXPECT_EQ(bytes("a"), 4);
  Write([&](Transaction& tx) { return tx.AddReferences("models/m", "a", {three}); });
  Write([&](Transaction& tx) { return tx.AddReferences("jobs/j", "a", {three, one}); });
  Write([&](Transaction& tx) { return tx.AddReferences("jobs/b", "b", {three}); });
  EXPECT_EQ(bytes("a"), 4);
  EXPECT_EQ(bytes("b"), 3);
  Write([](Transaction& tx) { return tx.ClearReferences("models/m"); });
  EXPECT_EQ(bytes("a"), 4);
  Write([](Transaction& tx) { return tx.DropHoldings(9, 9).status(); });
  EXPECT_EQ(bytes("a"), 4) << "named by a job";
  Write([](Transaction& tx) { return tx.ClearReferences("jobs/j"); });
  EXPECT_EQ(bytes("a"), 0);
  EXPECT_EQ(bytes("b"), 3);
  Write([&](Transaction& tx) { return tx.PutHoldings("a", {three}, 9); });
  Write([&](Transaction& tx) { return tx.ForgetBlob(three.sha256); });
  EXPECT_EQ(bytes("a"), 0);
  Write([](Transaction& tx) { return tx.DeleteJob("jobs/b"); });
  EXPECT_EQ(bytes("b"), 0);
}

TEST_P(StoreSuite, TenantsAreListedByNameWithTheirLimits) {
  using Names = std::vector<std::string>;
  const auto list = [this](const char* after, int limit) {
    return Read<Names>([&](Snapshot& s) { return s.ListTenants(after, limit); });
  };
  EXPECT_EQ(list("", 9), Names());
  EXPECT_FALSE(Read<std::optional<TenantRow>>([](Snapshot& s) { return s.GetTenant("c"); }).has_value());
  Write([](Transaction& tx) -> absl::Status {
    if (auto status = tx.PutTenant({"c", {.bytes = 1, .queued_jobs = 2, .running_jobs = 3}}); !status.ok()) {
      return status;
    }
    if (auto status = tx.PutJob({.name = "jobs/a", .state = 1, .tenant = "a"}); !status.ok()) return status;
    if (auto status = tx.PutJob({.name = "jobs/b", .state = 1, .tenant = "c"}); !status.ok()) return status;
    return tx.PutHoldings("b", {DigestOf("x")}, 1);
  });
  EXPECT_EQ(list("", 9), (Names{"a", "b", "c"}));
  EXPECT_EQ(list("a", 1), Names{"b"});
  const TenantLimits limits{.bytes = 1, .queued_jobs = 2, .running_jobs = 3};
  EXPECT_EQ(Read<std::optional<TenantRow>>([](Snapshot& s) { return s.GetTenant("c"); })->limits, limits);
  Write([](Transaction& tx) { return tx.PutTenant({"c", {.bytes = 9}}); });
  EXPECT_EQ(Read<std::optional<TenantRow>>([](Snapshot& s) { return s.GetTenant("c"); })->limits,
            TenantLimits{.bytes = 9});
}

TEST_P(StoreSuite, ResultsAndRequestsAreOfOneTenant) {
  const BlobDigest blob = DigestOf("o");
  PutBlob(blob, 1);
  Write([&](Transaction& tx) { return tx.PutAction("a", "d", "of a", {blob}); });
  Write([&](Transaction& tx) { return tx.PutAction("b", "d", "of b", {blob}); });
  const auto action = [this](const char* tenant) {
    return Read<std::optional<std::string>>([&](Snapshot& s) { return s.GetAction(tenant, "d"); });
  };
  EXPECT_EQ(action("a"), "of a");
  EXPECT_EQ(action("b"), "of b");
  EXPECT_FALSE(action("c").has_value());
  Write([](Transaction& tx) { return tx.DeleteAction("", "d"); });
  EXPECT_FALSE(action("a").has_value() || action("b").has_value());
  Write([](Transaction& tx) { return tx.PutRequest({"a", "r", "hash", "jobs/a", 5}); });
  Write([](Transaction& tx) { return tx.PutRequest({"b", "r", "hash", "jobs/b", 5}); });
  const auto request = [this](const char* tenant) {
    return Read<std::optional<RequestRow>>([&](Snapshot& s) { return s.GetRequest(tenant, "r"); });
  };
  EXPECT_EQ(request("a")->resource, "jobs/a");
  EXPECT_EQ(request("b")->resource, "jobs/b");
  EXPECT_FALSE(request("c").has_value());
}

TEST_P(StoreSuite, ActionsAndRequestsAreReplaced) {
  const BlobDigest blob = DigestOf("o");
  PutBlob(blob, 1);
  Write([&](Transaction& tx) { return tx.PutAction("", "a", "one", {blob}); });
  Write([&](Transaction& tx) { return tx.PutAction("", "a", "two", {}); });
  EXPECT_EQ(Read<std::optional<std::string>>([](Snapshot& s) { return s.GetAction("", "a"); }), "two");
  EXPECT_EQ(Read<std::vector<BlobRow>>([](Snapshot& s) { return s.Garbage(10, 10); }).size(), 1u);
  Write([](Transaction& tx) { return tx.PutRequest({"", "r", "hash", "jobs/j", 5}); });
  const auto request = Read<std::optional<RequestRow>>([](Snapshot& s) { return s.GetRequest("", "r"); });
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->resource + request->body_hash, "jobs/jhash");
  Write([](Transaction& tx) { return tx.DeleteRequestsBefore(5); });
  EXPECT_TRUE(Read<std::optional<RequestRow>>([](Snapshot& s) { return s.GetRequest("", "r"); }).has_value());
  Write([](Transaction& tx) { return tx.DeleteRequestsBefore(6); });
  EXPECT_FALSE(Read<std::optional<RequestRow>>([](Snapshot& s) { return s.GetRequest("", "r"); }).has_value());
}

}  // namespace bitwright::server
