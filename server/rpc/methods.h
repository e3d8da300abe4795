#pragma once

#include <string_view>

#include "server/auth/roles.h"

namespace bitwright::server {

// What is to be known of a method before it runs.
struct Method {
  std::string_view name;  // a literal; the label of its metrics
  Roles roles;            // any of them is enough
  bool changes = false;   // it makes, changes or deletes something, and is audited
};

inline constexpr Roles kSubmitters = {Role::kSubmitter};
inline constexpr Roles kReaders = {Role::kSubmitter, Role::kOperator};  // of what is no tenant's
inline constexpr Roles kWorkers = {Role::kWorker};
inline constexpr Roles kBlobUsers = {Role::kSubmitter, Role::kWorker};
inline constexpr Roles kOperators = {Role::kOperator};

inline constexpr Method kFindMissingBlobs{"FindMissingBlobs", kBlobUsers};
inline constexpr Method kReadBlob{"Read", kBlobUsers};
inline constexpr Method kWriteBlob{"Write", kBlobUsers};
inline constexpr Method kQueryWriteStatus{"QueryWriteStatus", kBlobUsers};

inline constexpr Method kGetCapabilities{"GetCapabilities", Roles::All()};
inline constexpr Method kListRecipes{"ListRecipes", kReaders};
inline constexpr Method kGetRecipe{"GetRecipe", kReaders};

inline constexpr Method kCreateModel{"CreateModel", kSubmitters, true};
inline constexpr Method kGetModel{"GetModel", kSubmitters};
inline constexpr Method kListModels{"ListModels", kSubmitters};
inline constexpr Method kDeleteModel{"DeleteModel", kSubmitters, true};
inline constexpr Method kWatchModel{"WatchModel", kSubmitters};

inline constexpr Method kCreateJob{"CreateJob", kSubmitters, true};
inline constexpr Method kGetJob{"GetJob", kSubmitters};
inline constexpr Method kListJobs{"ListJobs", kSubmitters};
inline constexpr Method kRetryJob{"RetryJob", kSubmitters, true};
inline constexpr Method kCancelJob{"CancelJob", kSubmitters, true};
inline constexpr Method kDeleteJob{"DeleteJob", kSubmitters, true};
inline constexpr Method kWatchJob{"WatchJob", kSubmitters};
inline constexpr Method kListTasks{"ListTasks", kSubmitters};
inline constexpr Method kGetReport{"GetReport", kSubmitters};

inline constexpr Method kRegisterWorker{"RegisterWorker", kWorkers, true};
inline constexpr Method kLeaseTask{"LeaseTask", kWorkers};
inline constexpr Method kHeartbeat{"Heartbeat", kWorkers};
inline constexpr Method kCompleteTask{"CompleteTask", kWorkers};
inline constexpr Method kFailTask{"FailTask", kWorkers};
inline constexpr Method kDeregisterWorker{"DeregisterWorker", kWorkers, true};
inline constexpr Method kListWorkers{"ListWorkers", kReaders};

inline constexpr Method kCordonWorker{"CordonWorker", kOperators, true};
inline constexpr Method kUncordonWorker{"UncordonWorker", kOperators, true};
inline constexpr Method kDrainWorker{"DrainWorker", kOperators, true};
inline constexpr Method kRequeueTask{"RequeueTask", kOperators, true};
inline constexpr Method kGetCacheEntry{"GetCacheEntry", kOperators};
inline constexpr Method kDeleteCacheEntry{"DeleteCacheEntry", kOperators, true};
inline constexpr Method kGetTenant{"GetTenant", kOperators};
inline constexpr Method kListTenants{"ListTenants", kOperators};
inline constexpr Method kUpdateTenantLimits{"UpdateTenantLimits", kOperators, true};

inline constexpr Method kIsActive{"IsActive", kOperators};
inline constexpr Method kStreamIsActive{"StreamIsActive", kOperators};
inline constexpr Method kGetMetricSpec{"GetMetricSpec", kOperators};
inline constexpr Method kGetMetrics{"GetMetrics", kOperators};

}  // namespace bitwright::server
