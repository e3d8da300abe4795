#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include "workers/kernels/rounding.h"
#include "workers/tensor/packed_triangle.h"

// A linear large enough to be worth a card's while, what it is rounded with, and what to.
namespace bitwright::worker {

// A moment of neighbours that go together, of inputs of very different sizes.
inline std::vector<float> MomentOf(int64_t n) {
  std::mt19937 random(1);
  std::lognormal_distribution<double> sizes(0, 1);
  std::vector<double> size(static_cast<size_t>(n));
  for (double& s : size) s = sizes(random);
  std::vector<float> packed;
  packed.reserve(static_cast<size_t>(PackedTriangleSize(n)));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = i; j < n; ++j) {
      packed.push_back(static_cast<float>(size[i] * size[j] * std::pow(0.8, static_cast<double>(j - i))));
    }
  }
  return packed;
}

inline void FillRandom(std::span<float> w) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0, 0.02f);
  for (float& value : w) value = normal(random);
}

inline FactorHead HeadOf(const std::vector<float>& packed, int64_t n, bool act_order) {
  FactorHead head{
      n, act_order, std::vector<int32_t>(static_cast<size_t>(n)), std::vector<uint8_t>(static_cast<size_t>(n)), {}, 0};
  std::iota(head.order.begin(), head.order.end(), 0);
  for (int64_t i = 0; i < n; ++i) head.diagonal.push_back(packed[static_cast<size_t>(PackedTriangleIndex(n, i, i))]);
  head.added = 0.01 * std::accumulate(head.diagonal.begin(), head.diagonal.end(), 0.0) / static_cast<double>(n);
  if (act_order) {
    std::ranges::stable_sort(head.order, std::greater<>(), [&](int32_t c) { return head.diagonal[c]; });
  }
  return head;
}

inline std::unique_ptr<DeviceFactor> LoadFrom(Rounding& rounding, const FactorHead& head,
                                              const std::vector<float>& triangle) {
  return rounding.LoadFactor(head, [&](int64_t i, std::span<float> to) {
    std::copy_n(triangle.data() + PackedTriangleIndex(head.inputs, i, i), to.size(), to.data());
  });
}

// As Q4_K, IQ2_XXS (its numbers, not its points), and integers with minima.
struct Kinds {
  Kinds() : codebook(16), points(256 * 8) {
    std::iota(codebook.begin(), codebook.end(), 0.0f);
    levels.codebook = minima.codebook = codebook;
    levels.group = minima.group = 32;
    levels.super = 256;
    levels.most_scale = levels.most_minimum = 63;
    levels.minima = minima.minima = true;
    std::mt19937 random(3);
    for (uint8_t& number : points) number = static_cast<uint8_t>(1 + 2 * (random() % 3));
    lattice.points = points;
    lattice.size = 8;
    lattice.group = 32;
    lattice.first_scale = 0.125f;
    lattice.scale_step = 0.25f;
    lattice.even_signs = true;
  }
  std::vector<float> codebook;
  std::vector<uint8_t> points;
  Grid levels, minima;
  Lattice lattice;
};

}  // namespace bitwright::worker
