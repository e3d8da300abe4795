#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "workers/kernels/elementwise.h"

// What a family's decoder block computes, as data: named operations on named values. One interpreter runs it forward,
// one backward (model/); no other code asks what family a model is of.
namespace bitwright::worker {

// One weight matrix [out, in] of the checkpoint; its tensors are name + ".weight" and, with bias, name + ".bias".
struct LinearSpec {
  std::string name;  // "model.layers.0.self_attn.q_proj"
  int64_t out = 0;
  int64_t in = 0;
  bool bias = false;
  bool transposed = false;    // the checkpoint stores [in, out]
  std::string bias_key = {};  // of config.json, which says whether there is a bias; empty: the family always decides
};

// Linears that a consumer fuses and that therefore get one format. Their rows are stacked. Dense: all have the same
// input. Experts: equally many linears of equal shapes for each expert, expert after expert, each with its own input.
struct UnitSpec {
  std::string name;  // "model.layers.0.self_attn.qkv_proj"
  std::vector<LinearSpec> linears;
  int64_t experts = 1;

  int64_t out() const {
    int64_t sum = 0;
    for (const LinearSpec& linear : linears) sum += linear.out;
    return sum;
  }
  int64_t in() const { return linears.front().in; }
  int64_t weights() const { return out() * in(); }
  bool bias() const { return linears.front().bias; }
  size_t linears_of_expert() const { return linears.size() / static_cast<size_t>(experts); }
  // Name of the statistics of the input of one expert (0 where it is dense).
  std::string input(int64_t expert) const { return experts == 1 ? name : name + "." + std::to_string(expert); }
};

// RMS norm, or, where `centered`, layer norm.
struct NormSpec {
  std::string weight;  // tensor [dim]; empty: there is no norm
  std::string bias;    // tensor [dim], or empty
  int64_t dim = 0;
  double eps = 0;
  bool centered = false;
  bool plus_one = false;  // the factor is 1 + weight
};

// A value between operations: a matrix [tokens, columns]. Of experts' rows there are only so many at a time as one of
// `share` parts of the tokens.
struct ValueSpec {
  std::string name;  // "qkv"
  int64_t columns = 0;
  int64_t share = 1;

  int64_t Rows(int64_t tokens) const { return std::max<int64_t>(1, tokens / share); }
  // Columns that would take as much memory with a row for each token.
  int64_t Width() const { return (columns + share - 1) / share; }
};

// Columns [first, first + columns) of a value.
struct Part {
  int value = -1;  // −1: none
  int64_t first = 0;
  int64_t columns = 0;
};

// `count` heads of `dim` columns of a value, `stride` apart, the first at column `first`.
struct HeadsPart {
  int value = -1;
  int64_t first = 0;
  int64_t count = 1;
  int64_t stride = 0;
  int64_t dim = 0;
};

// Each operation writes a value that no other writes, except for Rotate, which works in place, and those that write
// parts of one value.
struct NormOp {
  HeadsPart in, out;
  int norm = 0;  // of BlockProgram::norms
};
// out = residual + factor · (in Wᵀ + bias); residual −1: none.
struct LinearOp {
  Part in;
  int matrix = 0;  // of units, then of kept
  int residual = -1;
  double factor = 1;
  int out = 0;
};
struct RotateOp {
  HeadsPart x;
  int rope = 0;  // of ModelConfig::ropes
};
// The symbols are those of AttentionParts (kernels/device.h).
struct AttendOp {
  HeadsPart q, k, v, out;
  double scale = 1;
  double soft_cap = 0;
  int64_t reach = 0;
};
// out = f(gate) · up; without up, f(gate).
struct ActivateOp {
  Part gate, up;
  Activation activation = Activation::kSilu;
  int out = 0;
};
// out = residual + factor · delta
struct AddOp {
  int residual = 0;
  int delta = 0;
  double factor = 1;
  int out = 0;
};
// out = residual + sigmoid(gate) · delta; gate [tokens, 1].
struct AddGatedOp {
  int residual = 0;
  int gate = 0;
  int delta = 0;
  int out = 0;
};
// Mixture of experts. Each token goes to the `chosen` experts of the largest logits [tokens, experts], weighted by the
// softmax of its logits, where `normalized` divided by the sum of the chosen ones.
//   out = residual + Σ weight · (f(gate) · up) downᵀ,   [gate, up] = in gate_upᵀ of the expert
struct ExpertsOp {
  int in = 0;
  int logits = 0;
  int residual = 0;
  int64_t chosen = 0;
  bool normalized = false;
  int gate_up = 0, down = 0;  // units
  Activation activation = Activation::kSilu;
  // Rows of one expert, as many at a time as they have: its input, [gate, up], f(gate) · up, and its output.
  int rows = 0, gate_up_rows = 0, inner_rows = 0, down_rows = 0;
  int out = 0;
};
using Operation = std::variant<NormOp, LinearOp, RotateOp, AttendOp, ActivateOp, AddOp, AddGatedOp, ExpertsOp>;

struct BlockProgram {
  std::string prefix;             // of its tensors: "model.layers.0."
  std::vector<ValueSpec> values;  // [0]: the residual stream that enters
  std::vector<Operation> operations;
  int output = 0;               // the value that leaves
  std::vector<UnitSpec> units;  // matrices to quantize
  std::vector<UnitSpec> kept;   // matrices that stay as they are
  std::vector<NormSpec> norms;

  const UnitSpec& matrix(int index) const {
    const size_t i = static_cast<size_t>(index);
    return i < units.size() ? units[i] : kept[i - units.size()];
  }
};

// A tensor that the configuration asks for.
struct TensorSpec {
  std::string name;
  std::vector<int64_t> shape;
  std::string role;  // completes "the checkpoint has no tensor X, which …"
};

}  // namespace bitwright::worker
