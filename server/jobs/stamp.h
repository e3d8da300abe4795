#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"

namespace bitwright::server {

// What a job or model says of its own changes: revision, update_time and etag. Each change of one goes through here.
// Pure.

// The message has changed. The first revision is `now` in microseconds, each further one is greater by one; the etag is
// another one.
void Stamp(v1::Job& job, absl::Time now);
void Stamp(v1::Model& model, absl::Time now);

// What only those who watch need to know, such as what a model waits for: revision and update_time change, the etag
// stays.
void StampSeen(v1::Model& model, absl::Time now);

// Fills in what a message of before there were such stamps lacks.
void StampOld(v1::Job& job);
void StampOld(v1::Model& model);

// Whether a change may be made that was asked for with `wanted`; empty: in any case. ABORTED, reason ETAG_MISMATCH.
absl::Status CheckEtag(std::string_view name, std::string_view wanted, std::string_view current);

}  // namespace bitwright::server
