#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bitwright/v1/models.pb.h"
#include "proto/base/clock.h"
#include "server/auth/call_context.h"
#include "server/scheduler/scheduler.h"
#include "server/store/quotas.h"
#include "server/store/store.h"

namespace bitwright::server {

// Models as clients name them: made, found, listed, deleted, each for the caller's tenant alone: the names of others'
// models are names of nothing. The scheduler inspects them. Errors as in ModelService. Thread-safe.
class ModelResources {
 public:
  ModelResources(Store& store, Scheduler& scheduler, const Clock& clock, Quotas quotas = Quotas())
      : store_(store), scheduler_(scheduler), clock_(clock), quotas_(std::move(quotas)) {}

  absl::StatusOr<v1::Model> Create(const CallContext& call, const v1::CreateModelRequest& request);
  absl::StatusOr<v1::Model> Get(const CallContext& call, const std::string& name);
  absl::StatusOr<v1::ListModelsResponse> List(const CallContext& call, const v1::ListModelsRequest& request);
  // `etag`: only if the model still has it; empty: in any case.
  absl::Status Delete(const CallContext& call, const std::string& name, const std::string& etag = {});

  // Gives the models of an older database the name of their content. Before the first Create.
  absl::Status IndexContent();

 private:
  v1::Model FromRow(const CallContext& call, const ModelRow& row);

  Store& store_;
  Scheduler& scheduler_;
  const Clock& clock_;
  const Quotas quotas_;
};

// Checks paths, digests and completeness, and sorts the files. INVALID_ARGUMENT: MANIFEST_PATH_INVALID,
// MANIFEST_DUPLICATE_PATH, MANIFEST_EMPTY, DIGEST_INVALID, LIMIT_EXCEEDED.
absl::StatusOr<v1::Manifest> CheckManifest(v1::Manifest manifest);

}  // namespace bitwright::server
