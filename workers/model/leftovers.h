#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/model/weights.h"

namespace bitwright::worker {

// Tensors that the checkpoint holds and the model does not read, by name: buffers, a second copy of a tied head, heads
// of other tasks. transformers leaves them aside, too.
// INVALID_ARGUMENT, CONFIG_CONTRADICTS_CHECKPOINT: a leftover that belongs to the decoder itself, so that config.json
// describes another model than the checkpoint holds: blocks beyond num_hidden_layers, biases or norms of linears.
absl::StatusOr<std::vector<std::string>> LeftoverTensors(const Model& model);

}  // namespace bitwright::worker
