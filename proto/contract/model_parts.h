#pragma once

#include <compare>
#include <cstdint>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/tasks.pb.h"

// Which parts of a model a task reads, said once. The server names their bytes in the task's inputs (TaskInput.pieces),
// so that a worker without the server's disk fetches one block and not the model; the worker refuses a task that names
// fewer.
namespace bitwright {

// Offsets of pieces are multiples of it, and so are their ends, but for the end of the file: each can be mapped.
inline constexpr int64_t kPieceAlignment = 4096;

struct ModelPart {
  v1::ModelPiece::Part part = v1::ModelPiece::COMMON;
  int64_t block = 0;  // of UNITS and KEPT

  friend auto operator<=>(const ModelPart&, const ModelPart&) = default;
};

// Half-open ranges of blocks, and the ends of the model. COMMON is read by all.
struct PartsRead {
  int64_t units_begin = 0, units_end = 0;
  int64_t kept_begin = 0, kept_end = 0;
  bool embedding = false;
  bool head = false;

  bool Has(const ModelPart& part) const;
  friend bool operator==(const PartsRead&, const PartsRead&) = default;
};

// Of a task of a model with so many blocks; nothing for kinds that read no weights.
PartsRead PartsReadBy(const v1::TaskSpec& spec, int64_t blocks);

}  // namespace bitwright
