#include "server/blobs/held_blobs.h"

#include <set>

#include "proto/base/failpoint.h"
#include "proto/base/log.h"
#include "proto/base/random_id.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/limits.h"
#include "server/blobs/blob_errors.h"

namespace bitwright::server {

absl::Status HeldBlobs::Reconcile(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  ABSL_ASSIGN_OR_RETURN(const std::vector<BlobDigest> list, blobs_.List());
  const std::set<BlobDigest> files(list.begin(), list.end());
  return store_.Write([&](Transaction& tx) -> absl::Status {
    for (const BlobDigest& digest : files) {
      ABSL_ASSIGN_OR_RETURN(const bool known, tx.HasBlob(digest));
      if (!known) ABSL_RETURN_IF_ERROR(tx.PutBlob({digest, ToMicros(now)}));
    }
    ABSL_ASSIGN_OR_RETURN(const std::vector<BlobDigest> rows, tx.AllBlobs());
    for (const BlobDigest& digest : rows) {
      if (files.contains(digest)) continue;
      LOG(WARNING) << "blob " << digest.ToString() << " no longer has a file; forgotten";
      ABSL_RETURN_IF_ERROR(tx.ForgetBlob(digest.sha256));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> HeldBlobs::Has(const BlobDigest& digest) {
  bool row = false;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, snapshot.HasBlob(digest));
    return absl::OkStatus();
  }));
  return row && blobs_.Has(digest);
}

absl::StatusOr<std::vector<BlobDigest>> HeldBlobs::FindMissing(const std::vector<BlobDigest>& digests, absl::Time now) {
  std::vector<BlobDigest> missing;
  std::vector<BlobDigest> held;
  std::set<BlobDigest> seen;
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    for (const BlobDigest& digest : digests) {
      if (!seen.insert(digest).second) continue;
      ABSL_ASSIGN_OR_RETURN(const bool row, tx.HasBlob(digest));
      (row && blobs_.Has(digest) ? held : missing).push_back(digest);
    }
    return tx.TouchBlobs(held, ToMicros(now));
  }));
  return missing;
}

absl::Status HeldBlobs::Publish(BlobUpload& upload, const BlobDigest& digest, absl::Time now) {
  // The bytes go to the disk before the lock is taken: that can last seconds.
  ABSL_RETURN_IF_ERROR(upload.Prepare());
  Failpoint("blob.before_publish");
  absl::MutexLock lock(&mutex_);
  ABSL_RETURN_IF_ERROR(upload.Publish());
  Failpoint("blob.before_row");
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) { return tx.PutBlob({digest, ToMicros(now)}); }));
  publications_.fetch_add(1, std::memory_order_release);
  return absl::OkStatus();
}

absl::StatusOr<BlobDigest> HeldBlobs::Put(std::string_view bytes, absl::Time now, const std::string& owner) {
  const BlobDigest digest = DigestOf(bytes);
  ABSL_ASSIGN_OR_RETURN(const bool held, Has(digest));
  if (!held) {
    ABSL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobUpload> upload, blobs_.StartUpload({RandomId(), digest}));
    ABSL_RETURN_IF_ERROR(upload->AppendCopied(bytes));
    ABSL_RETURN_IF_ERROR(Publish(*upload, digest, now));
  }
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_RETURN_IF_ERROR(tx.TouchBlobs({digest}, ToMicros(now)));
    return tx.AddReferences(owner, {digest});
  }));
  return digest;
}

absl::StatusOr<bool> HeldBlobs::Collect(const BlobDigest& digest, absl::Time cutoff) {
  absl::MutexLock lock(&mutex_);
  bool removed = false;
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(removed, tx.RemoveBlobIfUnused(digest, ToMicros(cutoff)));
    return absl::OkStatus();
  }));
  if (removed) Failpoint("collection.unlink");
  if (removed) ABSL_RETURN_IF_ERROR(blobs_.Remove(digest));
  return removed;
}

absl::StatusOr<std::string> HeldBlobs::ReadWhole(const BlobDigest& digest) {
  if (digest.size_bytes > limits::kMaxInlineProtoBytes) return BlobTooLargeError(digest, limits::kMaxInlineProtoBytes);
  ABSL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobReader> reader, blobs_.Open(digest));
  std::string bytes(digest.size_bytes, '\0');
  ABSL_RETURN_IF_ERROR(reader->Read(0, bytes.data(), bytes.size()));
  return bytes;
}

}  // namespace bitwright::server
