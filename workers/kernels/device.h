#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "workers/kernels/elementwise.h"
#include "workers/tensor/dtype.h"
#include "workers/tensor/tensor.h"

namespace bitwright::worker {

// A device failed at what it was asked: lost, a memory error, a library that refused. The fault of the machine, never
// of what was computed. Its text names the operation and the device.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Memory of a device, kF32 or kBF16. It belongs to whoever asked for it, and must go before the device does.
class DeviceMemory {
 public:
  DeviceMemory(DType type, int64_t elements) : type_(type), elements_(elements) {}
  virtual ~DeviceMemory() = default;
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  DType type() const { return type_; }
  int64_t elements() const { return elements_; }

 private:
  const DType type_;
  const int64_t elements_;
};

// A matrix in a device's memory, which it does not own: element (r, c) is number offset + r · stride + c. Without
// memory: none.
struct Matrix {
  DeviceMemory* memory = nullptr;
  int64_t offset = 0;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;

  Matrix Rows(int64_t first, int64_t count) const { return {memory, offset + first * stride, count, columns, stride}; }
  Matrix Columns(int64_t first, int64_t count) const { return {memory, offset + first, rows, count, stride}; }
  bool has_value() const { return memory != nullptr; }
};

class Rounding;  // rounding.h

// Heads side by side in the rows of a matrix: element i of head h of row r is x(r, h · stride + i), i in [0, dim).
struct Heads {
  Matrix x;
  int64_t count = 1;
  int64_t stride = 0;
  int64_t dim = 0;
};

// A norm of each head by itself (of the whole row where there is one head). RMS norm as elementwise.h has it, or, where
// `centered`, layer norm.
struct NormParts {
  Matrix weight;  // [1, dim]
  Matrix bias;    // [1, dim], or none
  float eps = 0;
  bool centered = false;
};

// Rotary position embedding: row r of a matrix is at position r mod window.
struct RotaryParts {
  Matrix cos, sin;     // [window, rotary / 2]
  int64_t rotary = 0;  // elements of each head that are rotated, from its first on
  bool interleaved = false;
};

// Causal attention within windows: query and key at positions p and s of one window meet where s ≤ p, and, where reach
// is not 0, p − reach < s. score = cap(scale · q·k), cap(x) = soft_cap · tanh(x / soft_cap) unless soft_cap is 0.
// Consecutive query heads share a key and value head.
struct AttentionParts {
  float scale = 1;
  float soft_cap = 0;
  int64_t window = 0;
  int64_t reach = 0;
};

// Which rows go to which expert: for each expert its rows in rising order, and their weights.
struct Routing {
  std::vector<std::vector<int32_t>> rows;
  std::vector<std::vector<float>> weights;
};

// What one token tells about a model beside its base, natural logarithms throughout.
struct TokenComparison {
  double nll_base = 0;    // −log p_base(target)
  double nll_other = 0;   // −log p_other(target)
  double kl = 0;          // Σ p_base (log p_base − log p_other), nats, ≥ 0
  double p_delta = 0;     // p_other(target) − p_base(target)
  bool same_top = false;  // both have the same most likely token; among equals the lowest index
};

// Where the gradients of a norm's own tensors are added, as [1, dim]; either may be none.
struct NormGradients {
  Matrix weight;
  Matrix bias;
};

// A processor's memory and arithmetic: all that a model's blocks are computed with. Matrices are f32 unless stated;
// outputs overlap no input unless stated; rows are tokens, window after window.
//
// An operation takes all rows at once and cuts the work itself, at boundaries that depend on the shapes alone: the same
// input gives the same bits on any number of threads. What an operation has written, the next one reads; only Read
// waits. Not thread-safe. Throws std::bad_alloc when the device's memory is out, DeviceError when it fails.
//
// Implementations: reference (plain loops in f64, for tests), cpu, cuda.
class Device {
 public:
  virtual ~Device() = default;

  virtual std::unique_ptr<DeviceMemory> Allocate(DType type, int64_t elements) = 0;

  // Between the host and the device, rows one after the other.
  virtual void Write(std::span<const float> from, const Matrix& to) = 0;
  virtual void Read(const Matrix& from, std::span<float> to) = 0;
  // to [rows, columns] = the elements of a tensor of weights from `first` on.
  virtual void Load(const TensorView& tensor, int64_t first, const Matrix& to) = 0;
  // to [out, in] = tensor [in, out], transposed.
  virtual void LoadTransposed(const TensorView& tensor, const Matrix& to) = 0;
  // to[r] = factor · table[rows[r]], table a tensor [any, columns] in the host's memory; where `add`, to[r] +=.
  virtual void LoadRows(const TensorView& table, std::span<const int32_t> rows, float factor, bool add,
                        const Matrix& to) = 0;
  // bf16 to = f32 from, rounded to nearest, ties to even.
  virtual void Narrow(const Matrix& from, const Matrix& to) = 0;

  virtual void Fill(float value, const Matrix& to) = 0;
  virtual void Copy(const Matrix& from, const Matrix& to) = 0;
  // to += factor · from
  virtual void Add(float factor, const Matrix& from, const Matrix& to) = 0;

  // out [rows, n] = factor · (x [rows, k] wᵀ [n, k] + bias [1, n]), added to out where `add`; bias may be none. What is
  // multiplied is x as `site` has it; x itself stays. Where w is bf16, that is rounded to it and sums are f32.
  struct Affine {
    Matrix w, bias;
    float factor = 1;
    bool add = false;
    SiteFormat site = {};
  };
  virtual void Multiply(const Matrix& x, const Affine& affine, const Matrix& out) = 0;

  // out may be x.
  virtual void Norm(const Heads& x, const NormParts& parts, const Heads& out) = 0;
  // In place. Backwards: by the negative angle.
  virtual void Rotate(const RotaryParts& parts, bool backwards, const Heads& x) = 0;
  virtual void Attend(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v,
                      const Heads& out) = 0;
  // out = f(gate) · up; up may be none: f(gate). out may be gate.
  virtual void Activate(Activation activation, const Matrix& gate, const Matrix& up, const Matrix& out) = 0;
  // x = cap · tanh(x / cap)
  virtual void Cap(float cap, const Matrix& x) = 0;

  // The `chosen` largest of each row of logits [rows, experts] (among equals the first), weighted by the softmax of the
  // row; where `normalized`, the weights of a row are divided by their sum.
  virtual Routing Route(const Matrix& logits, int64_t chosen, bool normalized) = 0;
  // to[i] = from[rows[i]]
  virtual void GatherRows(const Matrix& from, std::span<const int32_t> rows, const Matrix& to) = 0;
  // to[rows[i]] += weights[i] · from[i]; no row twice.
  virtual void AddRows(const Matrix& from, std::span<const int32_t> rows, std::span<const float> weights,
                       const Matrix& to) = 0;
  // to[r] += factor · sigmoid(gate[r]) · from[r]; gate [rows, 1].
  virtual void AddGated(float factor, const Matrix& gate, const Matrix& from, const Matrix& to) = 0;

  // Backwards: each adds to the gradients of a loss with respect to what an operation reads, given those with respect
  // to what it writes. Gradients have the shapes of their matrices and a d before their names.

  // dx += factor · dy w; w f32.
  virtual void MultiplyBack(const Matrix& dy, const Matrix& w, float factor, const Matrix& dx) = 0;
  // dw += factor · dyᵀ x
  virtual void AddOuter(const Matrix& dy, const Matrix& x, float factor, const Matrix& dw) = 0;
  virtual void NormBack(const Heads& x, const NormParts& parts, const Heads& dy, const Heads& dx,
                        const NormGradients& gradients) = 0;
  virtual void AttendBack(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v,
                          const Heads& dout, const Heads& dq, const Heads& dk, const Heads& dv) = 0;
  virtual void ActivateBack(Activation activation, const Matrix& gate, const Matrix& up, const Matrix& dout,
                            const Matrix& dgate, const Matrix& dup) = 0;
  // d is that with respect to capped = Cap(x), and becomes that with respect to x.
  virtual void CapBack(float cap, const Matrix& capped, const Matrix& d) = 0;
  virtual void AddGatedBack(float factor, const Matrix& gate, const Matrix& from, const Matrix& dto,
                            const Matrix& dgate, const Matrix& dfrom) = 0;
  // Of the weights that Route gave, in its order.
  virtual void RouteBack(const Matrix& logits, const Routing& routing, bool normalized,
                         std::span<const std::vector<float>> dweights, const Matrix& dlogits) = 0;
  // results[i] = a[i] · b[rows[i]]
  virtual void DotRows(const Matrix& a, const Matrix& b, std::span<const int32_t> rows, std::span<float> results) = 0;
  // x[i] *= factors[i]
  virtual void ScaleRows(std::span<const float> factors, const Matrix& x) = 0;

  // Draws a label from the softmax of each row of logits: the first whose cumulative probability is above its uniform
  // number in [0, 1), summed in f64 from the first on.
  virtual void Sample(const Matrix& logits, std::span<const double> uniforms, std::span<int32_t> labels) = 0;
  // Logits become the gradient of the sum of −log softmax(row)[label]; where a label is −1, the row counts for nothing.
  // losses gets each row's term.
  virtual void LossBack(const Matrix& logits, std::span<const int32_t> labels, std::span<double> losses) = 0;

  // Logits [tokens, vocabulary] of two models; one target and one result for each token, each target in
  // [0, vocabulary). Logits are finite: a row with NaN or infinity gives a NaN or infinite result. Exponentials and
  // sums are f64, within a few units of 1e-15.
  virtual void Compare(const Matrix& base, const Matrix& other, std::span<const int32_t> targets,
                       std::span<TokenComparison> results) = 0;

  // sums [n, n] += xᵀ x; elements below the diagonal are undefined.
  virtual void AddMoment(const Matrix& x, const Matrix& sums) = 0;
  // sums [1, n] += Σ over rows of x², in f64 within the call
  virtual void AddSquares(const Matrix& x, const Matrix& sums) = 0;
  // The upper triangle of a square matrix, row after row (packed_triangle.h), times factor.
  virtual void ReadTriangle(const Matrix& from, float factor, std::span<float> to) = 0;

  // What quantizes weights in this device's memory; the device owns it.
  virtual Rounding& rounding() = 0;
};

// Device memory in the shape of one matrix.
class DeviceMatrix {
 public:
  DeviceMatrix() = default;
  DeviceMatrix(Device& device, DType type, int64_t rows, int64_t columns)
      : memory_(device.Allocate(type, rows * columns)), view_{memory_.get(), 0, rows, columns, columns} {}

  const Matrix& view() const { return view_; }
  bool has_value() const { return memory_ != nullptr; }

 private:
  std::unique_ptr<DeviceMemory> memory_;
  Matrix view_;
};

}  // namespace bitwright::worker
