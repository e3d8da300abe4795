#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/contract/memory_cuts.h"
#include "workers/model/block_runner.h"
#include "workers/model/output_head.h"

namespace bitwright::worker {

// Of which blocks, and which labels the loss Σ −log p(label) is about, over all positions of all windows.
struct GradientOptions {
  // Blocks [begin, end); end −1: up to the last one. Those that are not the first ones need the stream that enters
  // them, those that are not the last ones the gradient with respect to the stream that leaves them; both
  // [tokens, hidden].
  int64_t begin = 0;
  int64_t end = -1;
  DeviceMatrix entering;
  DeviceMatrix leaving;
  // One for each token, −1: it counts for nothing. Empty: drawn from the model itself, as the true Fisher information
  // asks (Martens, arXiv 1412.1193, section 5), with random numbers that follow from seed and position alone.
  std::vector<int32_t> labels;
  uint64_t seed = 0;
  uint64_t first_position = 0;  // of the first token, where these are some of more windows
  // Streams between blocks that are kept take at most so much memory; where they do not fit, some are computed again.
  int64_t most_stream_bytes = kMostKeptBytes;
  OutputHead::LogitsTap logits;
  NormGradients final_norm;
};

struct GradientResult {
  // Of the last blocks; empty otherwise.
  std::vector<int32_t> labels;  // those that were used
  std::vector<double> losses;   // nats, of each token
  DeviceMatrix entering;        // [tokens, hidden], gradient with respect to the stream that enters the first of them
};

// The taps of one block, asked for before the way back through it.
using BlockTaps = std::function<GradientTaps(int64_t block, const BlockWeights& weights)>;

// One pass forward and one backward, f32, over windows of ids [windows · window]: blocks are loaded one at a time,
// first to last and last to first. A pass over ranges of blocks, from the last range to the first, gives the same bits
// as one over all of them. `progress` gets the share done.
absl::StatusOr<GradientResult> RunGradients(BlockRunner& runner, std::span<const int32_t> ids, GradientOptions options,
                                            const BlockTaps& taps, const std::function<void(double)>& progress);

// A number in [0, 1) that follows from seed and counter: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
// number generators, OOPSLA 2014) at position `counter`.
double UniformAt(uint64_t seed, uint64_t counter);

}  // namespace bitwright::worker
