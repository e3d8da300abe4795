#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/kernels/device.h"

namespace bitwright::worker {

// TokenComparison of many tokens, in the order of the text; shards are joined with Append in index order.
struct TokenStats {
  std::vector<double> nll_base;
  std::vector<double> nll_quantized;
  std::vector<double> kl;
  std::vector<double> p_delta;
  std::vector<uint8_t> top1_same;

  int64_t size() const { return static_cast<int64_t>(kl.size()); }
  void Append(const TokenStats& other);
  void AppendToken(const TokenStats& other, size_t token);
};

// Of logits [tokens, vocabulary] on a device, as Device::Compare has it.
TokenStats CompareLogits(Device& device, const Matrix& base, const Matrix& quantized, std::span<const int32_t> targets);

}  // namespace bitwright::worker
