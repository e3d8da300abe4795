#include "server/jobs/task_digest.h"

#include "proto/base/message_bytes.h"
#include "proto/contract/digest.h"

namespace bitwright::server {

std::string TaskDigest(const v1::TaskSpec& spec) { return Sha256Hex(DeterministicBytes(spec)); }

}  // namespace bitwright::server
