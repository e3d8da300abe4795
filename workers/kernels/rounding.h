#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "workers/kernels/device.h"
#include "workers/kernels/grid.h"
#include "workers/kernels/lattice.h"
#include "workers/tensor/dtype.h"
#include "workers/tensor/tensor.h"

namespace bitwright::worker {

// Symmetric signed integers: value = code · scale, rounded to `type`; code in [−2^(bits−1), 2^(bits−1) − 1]. Every
// `group` neighbouring columns of a row share a scale, which is a number of `type`: the dtype of the model's weights,
// in which a consumer keeps scales and the weights that it decompresses. bits 2 … 8; the columns are a multiple of
// group.
struct IntGrid {
  int bits = 4;
  int64_t group = 0;
  DType type = DType::kF32;  // F32, F16 or BF16

  constexpr int MinCode() const { return -(1 << (bits - 1)); }
  constexpr int MaxCode() const { return (1 << (bits - 1)) - 1; }
};

// A linear [out, in] as codes.
struct RoundedLinear {
  std::vector<int8_t> codes;     // [out, in]
  std::vector<float> scales;     // [out, in / group], already rounded to the grid's type
  std::vector<double> row_loss;  // [out] (ΔW H ΔWᵀ)_rr, undamped; empty from RoundNearest, which knows no H
  double loss = 0;               // tr(ΔW H ΔWᵀ), the sum of row_loss in order
};

// A linear [out, in] on a grid.
struct GridRounded {
  GridRounded(const Grid& grid, int64_t out, int64_t in);

  GridCodes codes;
  std::vector<double> row_loss;  // [out] (ΔW H ΔWᵀ)_rr, undamped
  double loss = 0;               // their sum
};

// A linear [out, in] on a lattice.
struct LatticeRounded {
  LatticeRounded(const Lattice& lattice, int64_t out, int64_t in);

  LatticeCodes codes;
  std::vector<double> row_loss;  // [out] (ΔW H ΔWᵀ)_rr, undamped
  double loss = 0;               // their sum
};

// How the scale of a group is chosen. Always rounded to the grid's type before any code is computed. An all-zero group
// (or one whose scale vanishes in that type) gets the type's epsilon, as compressed-tensors gives it.
enum class ScaleMethod {
  kAbsMax,    // max|w| · 2/(2^bits − 1): compressed-tensors' observer ("ct"). The extremes lie half a step outside
  kSearched,  // the clip of kAbsMax that minimizes Σ_j h_j (w_j − q_j)² among ClipFactors, h ≥ 0 as stated below
};

// Factors of the absmax scale that are tried: from 1 downwards and then one above, and the same with the other sign.
// They live as long as the program.
std::span<const float> ClipFactors(int bits);

// What the factorization of one input's second moment H [n, n] begins with.
struct FactorHead {
  int64_t inputs = 0;           // n
  bool act_order = false;       // `order` is not that of the columns
  std::vector<int32_t> order;   // [n] column of H at each position
  std::vector<uint8_t> dead;    // [n] by column of H: the input was never active, its weights count as 0
  std::vector<float> diagonal;  // [n] of H with dead ones set to 1, undamped, by column of H
  double added = 0;             // what damping adds to each diagonal element
};

// A factor in a device's memory, which it must not outlive. Immutable.
class DeviceFactor {
 public:
  virtual ~DeviceFactor() = default;
  virtual const FactorHead& Head() const = 0;
};

// Fills `to` with row i of a packed upper triangle, from its diagonal on.
using TriangleRows = std::function<void(int64_t i, std::span<float> to)>;

struct LdlqOptions {
  ScaleMethod scales = ScaleMethod::kSearched;
  // Static: group scales come from the original weights. Dynamic: they come from the columns as they are when the group
  // is reached, with all earlier errors spread over them. A factor with act_order implies static, because a group is a
  // run of neighbouring columns of W, as targets store it, and act_order reaches its columns at different times.
  // Measured on models/sample and models/lm with searched scales: in column order dynamic gives 1 to 6 % less loss than
  // static; static with act_order another 1 to 3 % less at group 128 and channel, but 1 % more at group 32.
  bool static_groups = false;
};

struct NearestOptions {
  ScaleMethod scales = ScaleMethod::kAbsMax;
  DType quotient_type = DType::kF32;  // w / scale is rounded to it before it becomes a code. compressed-tensors divides
                                      // in the weight's dtype; F32 gives the nearest code
};

// The arithmetic of quantization on a device (Device::rounding): weights f32 [out, in] in its memory, finite. The same
// contract as Device has: the same bits on any number of threads.
class Rounding {
 public:
  virtual ~Rounding() = default;

  // Replaces the packed upper triangle of H, f32, by that of M − I + D, where
  //   P H' Pᵀ = M D Mᵀ, M unit upper triangular, D diagonal, P the head's order,
  // and H' is H with diagonal + added on its diagonal. In f64. Nothing when it succeeded, else a position whose pivot
  // is not positive. Memory: 8 · n² bytes on the device for the time of the call.
  virtual std::optional<int64_t> Factorize(const FactorHead& head, std::span<float> triangle) = 0;

  // `rows` gives that triangle, row by row in order.
  virtual std::unique_ptr<DeviceFactor> LoadFactor(FactorHead head, const TriangleRows& rows) = 0;

  // GPTQ (Frantar et al., arXiv 2210.17323) in its LDLQ form (Chee et al., QuIP, arXiv 2307.13304, section 3). Columns
  // are rounded one after the other, by position, and each makes up for the errors of those before it: column j rounds
  //   z_j = w_j + Σ_{i<j} (w_i − q_i) M_ij
  // to q_j. The loss needs no second pass: ΔW M has the columns z_j − q_j, so tr(ΔW H' ΔWᵀ) = Σ_j D_j ‖z_j − q_j‖²,
  // from which the part that the damping added, added · ‖ΔW‖², is taken off again.
  //
  // The search for scales (ScaleMethod::kSearched) weighs the error of column j with √(H_jj · D_j): between H_jj, what
  // an error costs when nothing makes up for it, and D_j, what it costs once all later columns have made up for it.
  // Mean KL divergence in nats per token on models/lm with act_order (65,536 calibration tokens, 32,768 evaluation
  // tokens, standard error in brackets):
  //
  //   weight          int3-g128         int4-g128         mixed, 3.5 bits   mixed, 4.5 bits
  //   H_jj            0.10874 (0.00083) 0.02698 (0.00021) 0.06682 (0.00049) 0.01709 (0.00015)
  //   √(H_jj · D_j)   0.10713 (0.00082) 0.02669 (0.00021) 0.06556 (0.00048) 0.01680 (0.00013)
  //
  // Each difference is one to two standard errors (taken as independent), and all four point the same way.
  virtual RoundedLinear RoundLdlq(const DeviceFactor& factor, const Matrix& weights, const IntGrid& grid,
                                  const LdlqOptions& options) = 0;
  // The row losses alone that RoundLdlq gives, [grids, out].
  virtual std::vector<double> LdlqLosses(const DeviceFactor& factor, const Matrix& weights,
                                         std::span<const IntGrid> grids, const LdlqOptions& options) = 0;

  // On any grid: lowers J = tr(ΔW H' ΔWᵀ), H' damped as the factor is.
  //  Start: each group's scale and minimum from a search that weighs the error of column j with H'_jj.
  //  Feedback: as RoundLdlq, with these scales. A row keeps its start where that is better.
  //  Sweep: with R = ΔW H', the code of least J while all others stand is the one nearest to q_ij + R_ij / H'_jj. For
  //   each group of columns of a row, its scale and minimum as they are and their neighbours are tried, each with the
  //   group's codes chosen anew one after the other; what lowers J most stays.
  //  Re-fit: J is quadratic in the scales and minima of the first level when codes stand. A dozen steps of conjugate
  //   gradients; a row keeps the outcome, as it is stored, where that lowers its J. Then sweeps again.
  // No step raises J but by rounding in f32. grid.group divides 128. reference/grid_rounding.h has it with a moment G
  // of output gradients besides.
  virtual GridRounded RoundOnGrid(const DeviceFactor& factor, const Matrix& weights, const Grid& grid,
                                  const GridSteps& steps) = 0;

  // On any lattice, likewise, eight columns at a time, in their own order whatever the factor's is.
  //  Start: each group's scale from a search that weighs the error of column j with H'_jj, the nearest points.
  //  Feedback: eight columns are chosen for what earlier errors make of them, with what they cost once all later
  //   columns have made up for them. A row keeps its start where that is better.
  //  Sweep: eight columns are chosen for where J is least while all others stand, with their part of H'. For each group
  //   its small scale as it is and its neighbours are tried; what lowers J most stays.
  //  Re-fit: as on grids, of the super-scales. Then sweeps again.
  // No step raises J but by rounding in f32. reference/lattice_rounding.h has it with a moment G besides.
  virtual LatticeRounded RoundOnLattice(const DeviceFactor& factor, const Matrix& weights, const Lattice& lattice,
                                        const GridSteps& steps) = 0;

  // Each weight to the nearest code: clamp(round half to even(w / scale)). `diagonal` [in] weighs columns in the search
  // for scales; empty: all alike.
  virtual RoundedLinear RoundNearest(const Matrix& weights, const IntGrid& grid, const NearestOptions& options,
                                     std::span<const float> diagonal) = 0;

  // (ΔW H ΔWᵀ)_rr of every row r, [out], ΔW = weights − values, by the direct product. moment: H [in, in].
  virtual std::vector<double> MomentLosses(const Matrix& weights, const Matrix& values, const Matrix& moment) = 0;

  // to [rows, columns] = code · scale, rounded to the grid's type. codes i8 [rows, columns], scales f32 [rows, groups].
  virtual void Dequantize(const IntGrid& grid, std::span<const int8_t> codes, std::span<const float> scales,
                          const Matrix& to) = 0;
  // The same of codes as pack_codes.h has them, and of scales [rows, groups] of the grid's type.
  virtual void DequantizePacked(const IntGrid& grid, std::span<const std::byte> packed, const TensorView& scales,
                                const Matrix& to) = 0;
};

}  // namespace bitwright::worker
