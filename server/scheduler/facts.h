#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/blobs/held_blobs.h"
#include "server/jobs/job_graph.h"
#include "server/scheduler/owner.h"

namespace bitwright::server {

// What the server itself learns from outputs of tasks.
struct Learned {
  Facts facts;
  ModelFacts model;
};

// An output of a finished task that the server is to read.
struct OutputToRead {
  std::string task;  // its name
  std::string key;
  std::string kind;
  v1::Digest digest;
};

// The output of a kind of task that the server reads; empty: none. A worker's result is accepted only where this one is
// there and is the message that it should be.
std::string_view ReadOutput(std::string_view kind);

// Outputs of finished tasks that the owner has not learned from. Order of the graph.
std::vector<OutputToRead> Unread(const Owner& owner);

// Reads one and fills in what it says. NOT_FOUND, reason BLOB_NOT_FOUND; INTERNAL, reason TASK_OUTPUT_INVALID; the
// errors of HeldBlobs::ReadWhole.
absl::Status Learn(HeldBlobs& blobs, const OutputToRead& output, Learned& learned);

// What of a result the server reads; nothing: its kind has no such output.
std::optional<OutputToRead> ToRead(const LiveTask& task, const v1::TaskResult& result);

// The blob that an error says is not there; nothing: it says none.
std::optional<BlobDigest> BlobOf(const absl::Status& error);

}  // namespace bitwright::server
