#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/contract/digest.h"
#include "proto/contract/model_parts.h"
#include "workers/model/weights.h"

namespace bitwright::worker {

// Which tensors each part of a model is made of: those of Model::used(), and both ends where these are compared. A
// tensor may belong to several parts.
std::map<std::string, std::vector<ModelPart>> PartsByTensor(const Model& model);

// Bytes [offset, offset + digest.size_bytes) of a weight file; offset and end are multiples of kPieceAlignment, but for
// the end of the file.
struct WeightPiece {
  std::string file;
  int64_t offset = 0;
  BlobDigest digest;
  std::vector<ModelPart> parts;
};

// The pieces of all weight files, by file and offset: neighbouring tensors of the same parts are one. Reads every byte
// of theirs once, checking every element: TENSOR_NOT_FINITE, of the first tensor in this order.
absl::StatusOr<std::vector<WeightPiece>> ReadPieces(const Model& model, ThreadPool& pool);

// Whether a task may read these parts of the model's files. TASK_SPEC_INVALID.
absl::Status CheckParts(const Model& model, const PartsRead& parts);

}  // namespace bitwright::worker
