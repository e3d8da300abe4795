#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/contract/digest.h"
#include "server/blobs/blobs.h"
#include "server/store/quotas.h"
#include "server/store/store.h"

namespace bitwright::server {

// Who looks for, brings or reads a blob.
struct BlobUser {
  // Whose blobs it looks among, and whose the blobs become that it brings. Empty: the server itself, or a worker, which
  // work for all tenants: what they bring is nobody's until something names it.
  std::string tenant;
  bool reads_all = true;   // it may read blobs of any tenant, as whoever leases tasks must
  bool has_quota = false;  // what it brings must fit the bytes that its tenant may have
};

// Which blobs are held, by whom, and when each was last used: the bytes of a BlobStore with their rows in the Store.
// The row decides: a blob counts as held only when both are there. The bytes are stored once, however many tenants hold
// them; a tenant learns nothing of the others' blobs, and has one of its own only after it brought all the bytes. Does
// not read or write bytes of uploads (BlobUpload does). Thread-safe.
class HeldBlobs {
 public:
  HeldBlobs(BlobStore& blobs, Store& store, Quotas quotas = Quotas())
      : blobs_(blobs), store_(store), quotas_(std::move(quotas)) {}

  // Before anything else. Makes rows and files agree after a crash: files without a row get one, rows without a file
  // are forgotten.
  absl::Status Reconcile(absl::Time now);

  // Whether it is held, and the user's tenant has it (anybody, where the user has none).
  absl::StatusOr<bool> Has(const BlobUser& user, const BlobDigest& digest);
  // The bytes alone; for use inside a transaction, which sees the row itself.
  bool HasFile(const BlobDigest& digest) { return blobs_.Has(digest); }
  // Those that Has denies, in order of the request, without duplicates. A use of the others; durable.
  absl::StatusOr<std::vector<BlobDigest>> FindMissing(const BlobUser& user, const std::vector<BlobDigest>& digests,
                                                      absl::Time now);
  // NOT_FOUND, reason BLOB_NOT_FOUND, also for blobs that the user may not read.
  absl::StatusOr<std::unique_ptr<BlobReader>> Open(const BlobUser& user, const BlobDigest& digest);

  // Whether the user may bring so many bytes, as of now. RESOURCE_EXHAUSTED, reason QUOTA_EXCEEDED.
  absl::Status CheckQuota(const BlobUser& user, int64_t bytes);
  // Checks, publishes and records an upload; where the bytes are stored already, this copy of them goes. Errors as
  // BlobUpload::Publish and CheckQuota.
  absl::Status Publish(const BlobUser& user, BlobUpload& upload, const BlobDigest& digest, absl::Time now);
  // Grows with every publication: whoever waits for a blob looks again only when this has changed.
  int64_t publications() const { return publications_.load(std::memory_order_acquire); }

  // Publishes bytes of the server's own, which `owner` of that tenant names from now on (Transaction::AddReferences).
  absl::StatusOr<BlobDigest> Put(std::string_view bytes, absl::Time now, const std::string& owner,
                                 const std::string& tenant);

  // Removes the blob unless something names it or it was used since `cutoff`. False: it stays.
  absl::StatusOr<bool> Collect(const BlobDigest& digest, absl::Time cutoff);

  // The whole blob, for messages that the server reads. NOT_FOUND, reason BLOB_NOT_FOUND; RESOURCE_EXHAUSTED, reason
  // LIMIT_EXCEEDED, above limits::kMaxInlineProtoBytes.
  absl::StatusOr<std::string> ReadWhole(const BlobDigest& digest);

 private:
  static constexpr size_t kLocks = 64;

  absl::StatusOr<bool> IsStored(const BlobDigest& digest);
  // `also` runs in the transaction that records the blob.
  absl::Status PublishAnd(const BlobUser& user, BlobUpload& upload, const BlobDigest& digest, absl::Time now,
                          const Store::Body& also);
  absl::Mutex& LockOf(const BlobDigest& digest) { return locks_[std::hash<std::string>()(digest.sha256) % kLocks]; }

  BlobStore& blobs_;
  Store& store_;
  const Quotas quotas_;
  // One of them is held while a file and its row change together, so that a collected blob that is uploaded again at
  // the same moment is not removed after its publication. Many, since a commit is waited for meanwhile, and those who
  // wait share it.
  std::array<absl::Mutex, kLocks> locks_;
  std::atomic<int64_t> publications_{0};
};

}  // namespace bitwright::server
