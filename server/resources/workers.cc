#include "server/resources/workers.h"

#include <utility>
#include <vector>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "server/resources/pages.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kListed = absl::Minutes(1);
constexpr char kQuery[] = "ListWorkers";

absl::StatusOr<v1::Worker> Told(const CallContext& call, absl::StatusOr<v1::Worker> worker) {
  if (worker.ok()) {
    LOG(INFO).With("worker", worker->name()).With("by", call.principal.name)
        << "is " << v1::Worker::State_Name(worker->state());
  }
  return worker;
}

}  // namespace

absl::StatusOr<v1::ListWorkersResponse> WorkerResources::List(const CallContext&,
                                                              const v1::ListWorkersRequest& request) {
  const int size = request.page_size() == 0 ? limits::kMaxPageSize : request.page_size();
  ABSL_ASSIGN_OR_RETURN(const NamedPage page, ParseNamedPage(size, request.page_token(), kQuery));
  v1::ListWorkersResponse response;
  for (v1::Worker& worker : scheduler_.ListWorkers(page.beyond, page.size + 1, clock_.Now() - kListed)) {
    if (response.workers_size() == page.size) {
      response.set_next_page_token(NamedPageToken(response.workers(page.size - 1).name(), kQuery));
      break;
    }
    *response.add_workers() = std::move(worker);
  }
  return response;
}

absl::StatusOr<v1::Worker> WorkerResources::Cordon(const CallContext& call, const std::string& name) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kWorkers).status());
  return Told(call, scheduler_.CordonWorker(name));
}

absl::StatusOr<v1::Worker> WorkerResources::Uncordon(const CallContext& call, const std::string& name) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kWorkers).status());
  return Told(call, scheduler_.UncordonWorker(name));
}

absl::StatusOr<v1::Worker> WorkerResources::Drain(const CallContext& call, const std::string& name) {
  ABSL_RETURN_IF_ERROR(ParseResourceName(name, Collection::kWorkers).status());
  return Told(call, scheduler_.DrainWorker(name));
}

}  // namespace bitwright::server
