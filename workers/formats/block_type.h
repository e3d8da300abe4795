#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "workers/kernels/grid.h"
#include "workers/kernels/lattice.h"

namespace bitwright::worker {

// Block types of GGUF that can be written, after ggml (ggml-org/ggml, src/ggml-common.h): a row of weights is a run of
// whole blocks, and each block holds all that its values need. The values of a type lie on a Grid or on a Lattice.
//
//   type    values  bytes  bits    a block is
//   Q4_0        32     18  4.5     f16 d; codes of 4 bits: (c − 8) d
//   Q4_1        32     20  5       f16 d, m: c d + m
//   Q5_0        32     22  5.5     f16 d; codes of 5 bits: (c − 16) d
//   Q5_1        32     24  6       f16 d, m
//   Q8_0        32     34  8.5     f16 d; codes i8
//   Q2_K       256     84  2.625   f16 d, m; of 16 values each a scale and a minimum of 4 bits
//   Q3_K       256    110  3.4375  f16 d; of 16 values each a signed scale of 6 bits
//   Q4_K       256    144  4.5     f16 d, m; of 32 values each a scale and a minimum of 6 bits
//   Q5_K       256    176  5.5     the same with codes of 5 bits
//   Q6_K       256    210  6.5625  f16 d; of 16 values each a scale i8
//   IQ2_XXS    256     66  2.0625  f16 d; of 32 values a scale of 4 bits; of 8 one of 256 points, 7 bits of signs
//   IQ2_XS     256     74  2.3125  f16 d; of 16 values a scale of 4 bits; of 8 one of 512 points, 7 bits of signs
//   IQ3_XXS    256     98  3.0625  f16 d; of 32 values a scale of 4 bits; of 4 one of 256 points, of 8 7 bits of signs
//   IQ4_NL      32     18  4.5     f16 d; a codebook of 16 uneven values
//   IQ3_S      256    110  3.4375  f16 d; of 32 values a scale of 4 bits; of 4 one of 512 points; signs
//   IQ2_S      256     82  2.5625  f16 d; of 16 values a scale of 4 bits; of 8 one of 1024 points; signs
//   IQ4_XS     256    136  4.25    f16 d; of 32 values each a signed scale of 6 bits; that codebook
//   MXFP4       32     17  4.25    a power of two of 8 bits; codes E2M1 (OCP Microscaling Formats 1.0)
//
// Of 7 bits of signs the eighth is such that the number of minuses is even.
enum class BlockType : uint8_t {
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIQ2_XXS,
  kIQ2_XS,
  kIQ3_XXS,
  kIQ4_NL,
  kIQ3_S,
  kIQ2_S,
  kIQ4_XS,
  kMXFP4,
};

struct BlockSpec {
  BlockType type;
  uint32_t ggml_id;  // of enum ggml_type
  std::string_view name;
  int64_t values;
  int64_t bytes;

  constexpr double bits() const { return 8.0 * static_cast<double>(bytes) / static_cast<double>(values); }
  constexpr bool Fits(int64_t columns) const { return columns > 0 && columns % values == 0; }
  // Of a row that fits.
  constexpr int64_t RowBytes(int64_t columns) const { return columns / values * bytes; }
};

// In the order of the enumeration.
std::span<const BlockSpec> BlockSpecs();
const BlockSpec& SpecOf(BlockType type);

// By its name in GGUF: "Q4_K". INVALID_ARGUMENT, reason FORMAT_UNKNOWN.
absl::StatusOr<BlockType> ParseBlockType(std::string_view name);
// By its id in a file. INVALID_ARGUMENT, reason FORMAT_UNKNOWN, also for types that cannot be written.
absl::StatusOr<BlockType> BlockTypeOfId(uint32_t ggml_id);

// Bits of a code: 4 of Q4_K, which with its scales takes 4.5. On a lattice those of a point and its signs, shared out
// among the point's values and rounded: 2 of IQ2_S (18 bits for 8 values).
int CodeBits(BlockType type);

bool OnLattice(BlockType type);
// What values of the type may be. CHECKs that it is on the one or on the other. Live as long as the program.
const Grid& GridOf(BlockType type);
const Lattice& LatticeOf(BlockType type);

}  // namespace bitwright::worker
