#include "server/jobs/stamp.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "proto/base/wire_time.h"
#include "server/jobs/job_errors.h"

namespace bitwright::server {
namespace {

// With the state, so that a row that is written ahead of memory shares its etag with no other state of that revision.
template <typename Message>
std::string EtagOf(const Message& message) {
  return absl::StrCat(absl::Hex(message.revision()), "-", static_cast<int>(message.state()));
}

template <typename Message>
void Advance(Message& message, absl::Time now) {
  message.set_revision(message.revision() == 0 ? ToMicros(now) : message.revision() + 1);
  *message.mutable_update_time() = ToProto(now);
}

}  // namespace

void Stamp(v1::Job& job, absl::Time now) {
  Advance(job, now);
  job.set_etag(EtagOf(job));
}

void Stamp(v1::Model& model, absl::Time now) {
  Advance(model, now);
  model.set_etag(EtagOf(model));
}

void StampSeen(v1::Model& model, absl::Time now) { Advance(model, now); }

void StampOld(v1::Job& job) {
  if (job.etag().empty()) job.set_etag(EtagOf(job));
  if (job.has_update_time()) return;
  *job.mutable_update_time() = job.has_end_time()     ? job.end_time()
                               : job.has_start_time() ? job.start_time()
                                                      : job.create_time();
}

void StampOld(v1::Model& model) {
  if (model.etag().empty()) model.set_etag(EtagOf(model));
  if (!model.has_update_time()) *model.mutable_update_time() = model.create_time();
}

absl::Status CheckEtag(std::string_view name, std::string_view wanted, std::string_view current) {
  return wanted.empty() || wanted == current ? absl::OkStatus() : EtagMismatchError(name, wanted, current);
}

}  // namespace bitwright::server
