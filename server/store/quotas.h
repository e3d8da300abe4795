#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/store.h"
#include "server/store/tenant_limits.h"

namespace bitwright::server {

// What tenants may have, as far as that is decided when something is stored: bytes and queued jobs. How many jobs run
// at once is the scheduler's to keep (scheduler/tenant_gate.h). Thread-safe.
class Quotas {
 public:
  using Observer = std::function<void(std::string_view quota)>;  // "bytes", "queued_jobs"

  // `defaults` are for tenants without limits of their own. `refused` is told of every refusal (see Counted).
  explicit Quotas(const TenantLimits& defaults = {}, Observer refused = nullptr)
      : defaults_(defaults), refused_(std::move(refused)) {}

  absl::StatusOr<TenantLimits> LimitsOf(Snapshot& snapshot, std::string_view tenant) const;

  // Whether the tenant may have so many bytes more; with 0, whether it has not too many already. In the transaction
  // that adds them, before that. RESOURCE_EXHAUSTED, reason QUOTA_EXCEEDED.
  absl::Status CheckBytes(Snapshot& snapshot, std::string_view tenant, int64_t more) const;
  // Whether one more job may be queued; `queued` is the number of that state. RESOURCE_EXHAUSTED, reason
  // QUOTA_EXCEEDED.
  absl::Status CheckQueuedJob(Snapshot& snapshot, std::string_view tenant, int queued) const;

  // The status, which is counted where it is a refusal. Outside of the transaction, which may run more than once.
  absl::Status Counted(absl::Status status) const;

 private:
  TenantLimits defaults_;
  Observer refused_;
};

}  // namespace bitwright::server
