#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "workers/import/plain_model.h"

namespace bitwright::worker {

// A file of weights holds tensors of so many bytes, and one tensor at least.
inline constexpr int64_t kShardBytes = int64_t{4} << 30;

// Gives the path on disk for the file `path` of the model.
using PlaceFile = std::function<std::string(const std::string& path)>;

// Writes the tensors in their order as model.safetensors or, where they are more than `shard_bytes`, as shards with the
// index that transformers reads. `written` is told of each file that is whole, `progress` of the share of all bytes.
// Errors of the tensors and of FileWriter.
absl::Status WritePlainWeights(const std::vector<PlainTensor>& tensors, int64_t shard_bytes, const PlaceFile& place,
                               const std::function<absl::Status(const std::string& path)>& written,
                               const std::function<void(double share)>& progress);

}  // namespace bitwright::worker
