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
namespace {

absl::StatusOr<bool> IsOf(Snapshot& snapshot, const BlobUser& user, const BlobDigest& digest) {
  return user.tenant.empty() ? snapshot.HasBlob(digest) : snapshot.TenantHasBlob(user.tenant, digest);
}

}  // namespace

absl::Status HeldBlobs::Reconcile(absl::Time now) {
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

absl::StatusOr<bool> HeldBlobs::Has(const BlobUser& user, const BlobDigest& digest) {
  bool row = false;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, IsOf(snapshot, user, digest));
    return absl::OkStatus();
  }));
  return row && blobs_.Has(digest);
}

absl::StatusOr<std::vector<BlobDigest>> HeldBlobs::FindMissing(const BlobUser& user,
                                                               const std::vector<BlobDigest>& digests, absl::Time now) {
  std::vector<BlobDigest> missing;
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    std::vector<BlobDigest> held;
    std::set<BlobDigest> seen;
    missing.clear();
    for (const BlobDigest& digest : digests) {
      if (!seen.insert(digest).second) continue;
      ABSL_ASSIGN_OR_RETURN(const bool row, IsOf(tx, user, digest));
      (row && blobs_.Has(digest) ? held : missing).push_back(digest);
    }
    if (!user.tenant.empty()) ABSL_RETURN_IF_ERROR(tx.PutHoldings(user.tenant, held, ToMicros(now)));
    return tx.TouchBlobs(held, ToMicros(now));
  }));
  return missing;
}

absl::StatusOr<std::unique_ptr<BlobReader>> HeldBlobs::Open(const BlobUser& user, const BlobDigest& digest) {
  if (!user.reads_all) {
    ABSL_ASSIGN_OR_RETURN(const bool own, Has(user, digest));
    if (!own) return BlobNotFoundError(digest);
  }
  return blobs_.Open(digest);
}

absl::Status HeldBlobs::CheckQuota(const BlobUser& user, int64_t bytes) {
  if (!user.has_quota) return absl::OkStatus();
  return quotas_.Counted(
      store_.Read([&](Snapshot& snapshot) { return quotas_.CheckBytes(snapshot, user.tenant, bytes); }));
}

// Both the file and the row that says so, hence its folder's entry, too, is on the disk.
absl::StatusOr<bool> HeldBlobs::IsStored(const BlobDigest& digest) {
  return blobs_.Has(digest) ? Has(BlobUser(), digest) : absl::StatusOr<bool>(false);
}

absl::Status HeldBlobs::Publish(const BlobUser& user, BlobUpload& upload, const BlobDigest& digest, absl::Time now) {
  return PublishAnd(user, upload, digest, now, [](Transaction&) { return absl::OkStatus(); });
}

absl::Status HeldBlobs::PublishAnd(const BlobUser& user, BlobUpload& upload, const BlobDigest& digest, absl::Time now,
                                   const Store::Body& also) {
  // The bytes go to the disk before the lock is taken: that can last seconds.
  ABSL_RETURN_IF_ERROR(upload.Prepare());
  Failpoint("blob.before_publish");
  absl::MutexLock lock(&LockOf(digest));
  ABSL_ASSIGN_OR_RETURN(const bool stored, IsStored(digest));
  if (stored) {
    upload.Discard();
  } else {
    ABSL_RETURN_IF_ERROR(upload.Publish());
  }
  Failpoint("blob.before_row");
  absl::Status refused;
  const absl::Status written = store_.Write([&](Transaction& tx) -> absl::Status {
    refused = user.has_quota ? quotas_.CheckBytes(tx, user.tenant, digest.size_bytes) : absl::OkStatus();
    ABSL_RETURN_IF_ERROR(refused);
    ABSL_RETURN_IF_ERROR(tx.PutBlob({digest, ToMicros(now)}));
    if (!user.tenant.empty()) ABSL_RETURN_IF_ERROR(tx.PutHoldings(user.tenant, {digest}, ToMicros(now)));
    return also(tx);
  });
  if (!refused.ok()) {
    if (!stored) ABSL_RETURN_IF_ERROR(blobs_.Remove(digest));
    return quotas_.Counted(refused);
  }
  ABSL_RETURN_IF_ERROR(written);
  publications_.fetch_add(1, std::memory_order_release);
  return absl::OkStatus();
}

absl::StatusOr<BlobDigest> HeldBlobs::Put(std::string_view bytes, absl::Time now, const std::string& owner,
                                          const std::string& tenant) {
  const BlobDigest digest = DigestOf(bytes);
  const auto named = [&](Transaction& tx) { return tx.AddReferences(owner, tenant, {digest}); };
  ABSL_ASSIGN_OR_RETURN(const bool held, Has(BlobUser(), digest));
  if (!held) {
    ABSL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobUpload> upload, blobs_.StartUpload({RandomId(), digest}));
    ABSL_RETURN_IF_ERROR(upload->AppendCopied(bytes));
    ABSL_RETURN_IF_ERROR(PublishAnd(BlobUser(), *upload, digest, now, named));
    return digest;
  }
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_RETURN_IF_ERROR(tx.TouchBlobs({digest}, ToMicros(now)));
    return named(tx);
  }));
  return digest;
}

absl::StatusOr<bool> HeldBlobs::Collect(const BlobDigest& digest, absl::Time cutoff) {
  absl::MutexLock lock(&LockOf(digest));
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
