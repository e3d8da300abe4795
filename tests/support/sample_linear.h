#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker {

// A random linear and the second moment of `samples` correlated inputs; every 17th input is dead.
struct SampleLinear {
  SampleLinear(int64_t out, int64_t in, int64_t samples, uint32_t seed) : out(out), in(in) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    weights.resize(static_cast<size_t>(out * in));
    for (float& w : weights) w = 0.05f * normal(random);
    std::vector<double> sum(static_cast<size_t>(in * in));
    std::vector<float> x(static_cast<size_t>(in));
    for (int64_t s = 0; s < samples; ++s) {
      float carried = 0;
      for (int64_t j = 0; j < in; ++j) {
        carried = 0.7f * carried + normal(random);
        x[j] = j % 17 == 16 ? 0 : carried * (j % 11 == 0 ? 6.0f : 1.0f);
      }
      for (int64_t i = 0; i < in; ++i) {
        for (int64_t j = i; j < in; ++j) sum[i * in + j] += static_cast<double>(x[i]) * x[j] / samples;
      }
    }
    moment.resize(static_cast<size_t>(in * in));
    for (int64_t i = 0; i < in; ++i) {
      for (int64_t j = i; j < in; ++j) moment[i * in + j] = moment[j * in + i] = static_cast<float>(sum[i * in + j]);
    }
    packed.resize(static_cast<size_t>(PackedTriangleSize(in)));
    PackTriangle(moment, in, packed);
  }

  int64_t out, in;
  std::vector<float> weights, moment, packed;
};

}  // namespace bitwright::worker
