#pragma once

#include <span>
#include <variant>
#include <vector>

#include "workers/formats/format.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker {

// Small floats, with the number that all scales of the linear are over (1 where there is none).
struct FloatRounded : GridRounded {
  float divisor = 1;
};

// Codes of a table, which k-means makes for the linear alone.
struct CodebookRounded : GridRounded {
  std::vector<float> table;
};

// Nothing is rounded: values [out, in].
struct PlainLinear {
  std::vector<float> values;
  std::vector<double> row_loss;  // [out] zeros
  double loss = 0;
};

// A linear [out, in] as codes with all that belongs to them: what a target packs.
struct QuantizedLinear {
  // Of a symmetric integer format; of an asymmetric one, or a block type on a grid; of a block type on a lattice; …
  std::variant<RoundedLinear, GridRounded, LatticeRounded, FloatRounded, PlainLinear, CodebookRounded> parts;

  double loss() const;                          // tr(ΔW H ΔWᵀ)
  const std::vector<double>& row_loss() const;  // [out]
};

// to [out, in], f32: the values that a consumer decodes, of a model whose weights have `type`.
void WriteValues(const QuantizedLinear& linear, const Format& format, DType type, Device& device, const Matrix& to);

// Of weights [out, in], and of all rows that consumers compute at once with them.
Extremes ExtremesOf(Device& device, const Matrix& weights, const Matrix& fused);

}  // namespace bitwright::worker
