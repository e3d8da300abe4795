#pragma once

#include <cstdint>

#include "workers/kernels/device.h"

namespace bitwright::worker {

// Largest element of a row and its first index.
struct RowMaximum {
  float value = 0;
  int64_t index = 0;
};
RowMaximum FindMaximum(const float* x, int64_t n);

// Over one pair of rows, with b_i = base_i − base_maximum and q_i likewise, in one pass:
struct PairSums {
  double base = 0;        // Σ exp(b_i)
  double quantized = 0;   // Σ exp(q_i)
  double difference = 0;  // Σ exp(b_i) · (b_i − q_i)
};
PairSums SumPair(const float* base, float base_maximum, const float* quantized, float quantized_maximum, int64_t n);

// Device::Compare for one token.
TokenComparison CompareLogitRows(const float* base, const float* other, int64_t n, int32_t target);

}  // namespace bitwright::worker
