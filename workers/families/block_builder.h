#pragma once

#include <string>
#include <utility>

#include "workers/families/program.h"

namespace bitwright::worker {

// An attention part: from the value that the projections read to the residual stream behind the output projection.
struct AttentionPlan {
  int64_t heads = 0, kv_heads = 0, head_dim = 0;
  UnitSpec qkv;  // rows: all of q, then k, then v; or, where `by_head`, q, k and v of each head in turn
  bool by_head = false;
  UnitSpec output;
  NormSpec q_norm, k_norm;  // of each head, or of the whole row (dim says which); without a weight there is none
  int rope = -1;            // of ModelConfig::ropes; −1: none
  double scale = 1;
  double soft_cap = 0;
  int64_t reach = 0;
};

// Builds a block's program, one operation after the other. A method that returns a number returns the value that it
// has made. Where a method takes a residual, its result is added to that value, times factor.
class BlockBuilder {
 public:
  BlockBuilder(std::string prefix, int64_t hidden);

  static constexpr int kStream = 0;  // the value that enters
  static constexpr int kNone = -1;

  const std::string& prefix() const { return program_.prefix; }
  int Norm(int x, NormSpec norm, std::string name);
  int Linear(int x, UnitSpec unit, std::string name, int residual = kNone, double factor = 1);
  int KeptLinear(int x, UnitSpec unit, std::string name);
  int Activate(int x, Activation activation);
  int Add(int residual, int delta, double factor = 1);
  int AddGated(int residual, int gate, int delta);
  int Attention(int x, const AttentionPlan& plan, int residual = kNone, double factor = 1);
  // [gate, up] = x gate_upᵀ, result = (f(gate) · up) downᵀ
  int GatedMlp(int x, UnitSpec gate_up, UnitSpec down, Activation activation, int residual = kNone, double factor = 1);
  // result = f(x upᵀ) downᵀ
  int Mlp(int x, UnitSpec up, UnitSpec down, Activation activation, int residual = kNone);
  int Experts(int x, int logits, UnitSpec gate_up, UnitSpec down, int64_t chosen, bool normalized,
              Activation activation, int residual);

  // The program, whose result is the value `output`. The builder is used up.
  BlockProgram Finish(int output);

 private:
  int Value(std::string name, int64_t columns, int64_t share = 1);
  int Matrix(UnitSpec unit);
  Part Whole(int value) const { return {value, 0, program_.values[static_cast<size_t>(value)].columns}; }
  HeadsPart WholeRow(int value) const;
  int NormIndex(NormSpec norm);

  BlockProgram program_;
  int kept_ = 0;
};

}  // namespace bitwright::worker
