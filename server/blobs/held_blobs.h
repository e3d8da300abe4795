#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "proto/contract/digest.h"
#include "server/blobs/blobs.h"
#include "server/store/store.h"

namespace bitwright::server {

// Which blobs are held and when each was last used: the bytes of a BlobStore with their rows in the Store. The row
// decides: a blob counts as held only when both are there. Does not read or write bytes of uploads (BlobUpload does).
// Thread-safe.
class HeldBlobs {
 public:
  HeldBlobs(BlobStore& blobs, Store& store) : blobs_(blobs), store_(store) {}

  // Makes rows and files agree after a crash: files without a row get one, rows without a file are forgotten.
  absl::Status Reconcile(absl::Time now);

  absl::StatusOr<bool> Has(const BlobDigest& digest);
  // The bytes alone; for use inside a transaction, which sees the row itself.
  bool HasFile(const BlobDigest& digest) { return blobs_.Has(digest); }
  // Those that are not held, in order of the request, without duplicates. A use of those that are; durable.
  absl::StatusOr<std::vector<BlobDigest>> FindMissing(const std::vector<BlobDigest>& digests, absl::Time now);

  // Checks, publishes and records an upload. Errors as BlobUpload::Publish.
  absl::Status Publish(BlobUpload& upload, const BlobDigest& digest, absl::Time now);
  // Grows with every publication: whoever waits for a blob looks again only when this has changed.
  int64_t publications() const { return publications_.load(std::memory_order_acquire); }

  // Publishes bytes of the server's own, which `owner` names from now on (see Transaction::AddReferences).
  absl::StatusOr<BlobDigest> Put(std::string_view bytes, absl::Time now, const std::string& owner);

  // Removes the blob unless something names it or it was used since `cutoff`. False: it stays.
  absl::StatusOr<bool> Collect(const BlobDigest& digest, absl::Time cutoff);

  // The whole blob, for messages that the server reads. NOT_FOUND, reason BLOB_NOT_FOUND; RESOURCE_EXHAUSTED, reason
  // LIMIT_EXCEEDED, above limits::kMaxInlineProtoBytes.
  absl::StatusOr<std::string> ReadWhole(const BlobDigest& digest);

 private:
  BlobStore& blobs_;
  Store& store_;
  // Held while a file and its row change together, so that a collected blob that is uploaded again at the same moment
  // is not removed after its publication.
  absl::Mutex mutex_;
  std::atomic<int64_t> publications_{0};
};

}  // namespace bitwright::server
