#include "workers/kernels/reference/reference_rounding.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "workers/kernels/pack_codes.h"
#include "workers/kernels/reference/grid_rounding.h"
#include "workers/kernels/reference/lattice_rounding.h"
#include "workers/kernels/reference/reference_memory.h"
#include "workers/tensor/packed_triangle.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker {
namespace {

struct HostFactor final : DeviceFactor {
  const FactorHead& Head() const override { return head; }

  FactorHead head;
  std::vector<double> m;  // [in, in], by position; 1 on the diagonal
  std::vector<double> d;  // [in]
};

// std::nearbyint rounds half to even.
int CodeOf(double ratio, const IntGrid& grid) {
  return static_cast<int>(
      std::clamp(std::nearbyint(ratio), static_cast<double>(grid.MinCode()), static_cast<double>(grid.MaxCode())));
}

// The value of a code, as a consumer has it.
double ValueOf(int code, float scale, const IntGrid& grid) {
  return RoundTo(grid.type, static_cast<float>(code) * scale);
}

double SquaredError(std::span<const double> w, std::span<const double> importance, float scale, const IntGrid& grid) {
  double error = 0;
  for (size_t j = 0; j < w.size(); ++j) {
    const double miss = w[j] - CodeOf(w[j] / scale, grid) * static_cast<double>(scale);
    error += importance[j] * miss * miss;
  }
  return error;
}

// Of one group of a row.
float ScaleOf(ScaleMethod method, const IntGrid& grid, std::span<const double> w, std::span<const double> importance) {
  double most = 0;
  for (const double value : w) most = std::max(most, std::abs(value));
  const float start = static_cast<float>(most) / (static_cast<float>((1 << grid.bits) - 1) / 2);
  float best = RoundTo(grid.type, start);
  if (method == ScaleMethod::kSearched) {
    double least = 3e38;
    for (const float factor : ClipFactors(grid.bits)) {
      const float scale = RoundTo(grid.type, start * factor);
      const double error = scale == 0 ? 3e38 : SquaredError(w, importance, scale, grid);
      if (error < least) {
        least = error;
        best = scale;
      }
    }
  }
  return best == 0 ? Epsilon(grid.type) : best;
}

// One row on its way through LDLQ; vectors are by position unless stated.
class LdlqRow {
 public:
  LdlqRow(const HostFactor& factor, const Matrix& weights, int64_t row, const IntGrid& grid, const LdlqOptions& options)
      : factor_(factor), grid_(grid), options_(options), n_(static_cast<size_t>(factor.head.inputs)) {
    const FactorHead& head = factor.head;
    for (size_t p = 0; p < n_; ++p) {
      const auto column = static_cast<size_t>(head.order[p]);
      natural_.push_back(head.dead[p] != 0 ? 0 : At(weights, row, static_cast<int64_t>(p)));
      w_.push_back(head.dead[column] != 0 ? 0 : At(weights, row, static_cast<int64_t>(column)));
    }
    importance_.resize(n_);
    for (size_t p = 0; p < n_; ++p) {
      const auto column = static_cast<size_t>(head.order[p]);
      importance_[column] = std::sqrt(head.diagonal[column] * factor.d[p]);
    }
  }

  void Round() {
    const auto group = static_cast<size_t>(grid_.group);
    const bool dynamic = !options_.static_groups && !factor_.head.act_order && group != n_;
    scales_.resize(n_ / group);
    for (size_t g = 0; g < scales_.size() && !dynamic; ++g) SetScale(g, natural_);
    codes_.resize(n_);
    e_.resize(n_);
    for (size_t p = 0; p < n_; ++p) {
      if (dynamic && p % group == 0) SetScale(p / group, Standing(p, p + group));
      RoundOne(p);
    }
    for (const double e : e_) loss_ -= factor_.head.added * e * e;
  }

  const std::vector<int8_t>& codes() const { return codes_; }  // by column of W
  const std::vector<float>& scales() const { return scales_; }
  double loss() const { return loss_; }

 private:
  double M(size_t i, size_t j) const { return factor_.m[i * n_ + j]; }

  // values: by column, the whole row.
  void SetScale(size_t g, const std::vector<double>& values) {
    const auto group = static_cast<size_t>(grid_.group);
    scales_[g] = ScaleOf(options_.scales, grid_, std::span(values).subspan(g * group, group),
                         std::span(importance_).subspan(g * group, group));
  }

  // The row as it is when columns [begin, end) are reached, in GPTQ's original form: with S these columns and a what
  // earlier errors add to them, w + x, where x M_SS = a_S.
  std::vector<double> Standing(size_t begin, size_t end) const {
    std::vector<double> standing = w_, x(n_);
    for (size_t j = begin; j < end; ++j) {
      for (size_t i = 0; i < begin; ++i) x[j] += e_[i] * M(i, j);
      for (size_t i = begin; i < j; ++i) x[j] -= x[i] * M(i, j);
      standing[j] += x[j];
    }
    return standing;
  }

  void RoundOne(size_t p) {
    const auto column = static_cast<size_t>(factor_.head.order[p]);
    double z = w_[p];
    for (size_t i = 0; i < p; ++i) z += e_[i] * M(i, p);
    const float scale = scales_[column / static_cast<size_t>(grid_.group)];
    const int code = CodeOf(z / scale, grid_);
    const double q = ValueOf(code, scale, grid_);
    codes_[column] = static_cast<int8_t>(code);
    e_[p] = w_[p] - q;
    loss_ += factor_.d[p] * (z - q) * (z - q);
  }

  const HostFactor& factor_;
  const IntGrid& grid_;
  const LdlqOptions& options_;
  const size_t n_;
  std::vector<double> natural_, importance_;  // by column
  std::vector<double> w_, e_;
  std::vector<int8_t> codes_;
  std::vector<float> scales_;
  double loss_ = 0;
};

// H' = M D Mᵀ in the order of the columns, [in, in].
std::vector<double> DampedMoment(const HostFactor& factor) {
  const auto n = static_cast<size_t>(factor.head.inputs);
  std::vector<double> moment(n * n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i; j < n; ++j) {
      double sum = 0;
      for (size_t k = j; k < n; ++k) sum += factor.m[i * n + k] * factor.d[k] * factor.m[j * n + k];
      const auto row = static_cast<size_t>(factor.head.order[i]), column = static_cast<size_t>(factor.head.order[j]);
      moment[row * n + column] = moment[column * n + row] = sum;
    }
  }
  return moment;
}

// Weights and the moment that a factor stands for, as rounding on grids and lattices takes them.
class DampedProblem {
 public:
  DampedProblem(const HostFactor& factor, const Matrix& weights)
      : factor_(factor), rows_(weights.rows), in_(weights.columns), moment_(DampedMoment(factor)) {
    for (int64_t i = 0; i < rows_ * in_; ++i) {
      w_.push_back(factor.head.dead[static_cast<size_t>(i % in_)] != 0 ? 0 : At(weights, i / in_, i % in_));
    }
  }

  GridProblem problem() const { return {rows_, in_, w_, moment_, {}, factor_.head.order}; }

  // Undamped.
  template <typename Rounded>
  void SetLosses(const std::vector<float>& values, Rounded& result) const {
    for (int64_t r = 0; r < rows_; ++r) {
      double& loss = result.row_loss[static_cast<size_t>(r)];
      const auto error = [&](int64_t j) {
        return w_[static_cast<size_t>(r * in_ + j)] - values[static_cast<size_t>(r * in_ + j)];
      };
      for (int64_t i = 0; i < in_; ++i) {
        for (int64_t j = 0; j < in_; ++j) loss += error(i) * error(j) * moment_[static_cast<size_t>(i * in_ + j)];
        loss -= factor_.head.added * error(i) * error(i);
      }
      result.loss += loss;
    }
  }

 private:
  const HostFactor& factor_;
  int64_t rows_, in_;
  std::vector<double> moment_, w_;
};

class ReferenceRounding final : public Rounding {
 public:
  // A = P H' Pᵀ, from the last column to the first: D_j = A_jj − Σ_{k>j} D_k M_jk², M_ij = (A_ij − Σ_{k>j} M_ik D_k
  // M_jk) / D_j.
  std::optional<int64_t> Factorize(const FactorHead& head, std::span<float> triangle) override {
    const int64_t n = head.inputs;
    std::vector<double> m(static_cast<size_t>(n * n)), d(static_cast<size_t>(n));
    const auto at = [&](int64_t i, int64_t j) -> double& { return m[static_cast<size_t>(i * n + j)]; };
    for (int64_t j = n - 1; j >= 0; --j) {
      for (int64_t i = j; i >= 0; --i) {
        const int64_t row = std::min(head.order[i], head.order[j]), column = std::max(head.order[i], head.order[j]);
        double sum = i == j ? head.diagonal[row] + head.added : triangle[PackedTriangleIndex(n, row, column)];
        for (int64_t k = j + 1; k < n; ++k) sum -= at(i, k) * d[k] * at(j, k);
        if (i == j && !(sum > 0)) return j;
        if (i == j) d[j] = sum;
        at(i, j) = i == j ? 1 : sum / d[j];
      }
    }
    float* to = triangle.data();
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = i; j < n; ++j) *to++ = static_cast<float>(i == j ? d[j] : at(i, j));
    }
    return std::nullopt;
  }

  std::unique_ptr<DeviceFactor> LoadFactor(FactorHead head, const TriangleRows& rows) override {
    auto factor = std::make_unique<HostFactor>();
    const auto n = static_cast<size_t>(head.inputs);
    factor->head = std::move(head);
    factor->m.resize(n * n);
    std::vector<float> row(n);
    for (size_t i = 0; i < n; ++i) {
      rows(static_cast<int64_t>(i), std::span(row).first(n - i));
      factor->d.push_back(row[0]);
      factor->m[i * n + i] = 1;
      for (size_t j = i + 1; j < n; ++j) factor->m[i * n + j] = row[j - i];
    }
    return factor;
  }

  RoundedLinear RoundLdlq(const DeviceFactor& factor, const Matrix& weights, const IntGrid& grid,
                          const LdlqOptions& options) override {
    RoundedLinear result;
    for (int64_t r = 0; r < weights.rows; ++r) {
      LdlqRow row(static_cast<const HostFactor&>(factor), weights, r, grid, options);
      row.Round();
      Append(row.codes(), row.scales(), result);
      result.row_loss.push_back(row.loss());
      result.loss += row.loss();
    }
    return result;
  }

  GridRounded RoundOnGrid(const DeviceFactor& device_factor, const Matrix& weights, const Grid& grid,
                          const GridSteps& steps) override {
    const DampedProblem damped(static_cast<const HostFactor&>(device_factor), weights);
    GridRounded result(grid, weights.rows, weights.columns);
    result.codes = worker::RoundOnGrid(damped.problem(), grid, steps).codes;
    damped.SetLosses(ValuesOf(result.codes, grid, weights.rows, weights.columns), result);
    return result;
  }

  LatticeRounded RoundOnLattice(const DeviceFactor& device_factor, const Matrix& weights, const Lattice& lattice,
                                const GridSteps& steps) override {
    const DampedProblem damped(static_cast<const HostFactor&>(device_factor), weights);
    LatticeRounded result(lattice, weights.rows, weights.columns);
    result.codes = worker::RoundOnLattice(damped.problem(), lattice, steps).codes;
    damped.SetLosses(ValuesOf(result.codes, lattice, weights.rows, weights.columns), result);
    return result;
  }

  std::vector<double> LdlqLosses(const DeviceFactor& factor, const Matrix& weights, std::span<const IntGrid> grids,
                                 const LdlqOptions& options) override {
    std::vector<double> losses;
    for (const IntGrid& grid : grids) {
      const RoundedLinear rounded = RoundLdlq(factor, weights, grid, options);
      losses.insert(losses.end(), rounded.row_loss.begin(), rounded.row_loss.end());
    }
    return losses;
  }

  RoundedLinear RoundNearest(const Matrix& weights, const IntGrid& grid, const NearestOptions& options,
                             std::span<const float> diagonal) override {
    const auto in = static_cast<size_t>(weights.columns), group = static_cast<size_t>(grid.group);
    std::vector<double> importance(in, 1);
    if (!diagonal.empty()) importance.assign(diagonal.begin(), diagonal.end());
    RoundedLinear result;
    for (int64_t r = 0; r < weights.rows; ++r) {
      std::vector<double> w;
      for (size_t j = 0; j < in; ++j) w.push_back(At(weights, r, static_cast<int64_t>(j)));
      std::vector<float> scales;
      std::vector<int8_t> codes;
      for (size_t j = 0; j < in; ++j) {
        if (j % group == 0) {
          scales.push_back(
              ScaleOf(options.scales, grid, std::span(w).subspan(j, group), std::span(importance).subspan(j, group)));
        }
        const float ratio = static_cast<float>(w[j]) / scales.back();
        codes.push_back(static_cast<int8_t>(CodeOf(RoundTo(options.quotient_type, ratio), grid)));
      }
      Append(codes, scales, result);
    }
    return result;
  }

  std::vector<double> MomentLosses(const Matrix& weights, const Matrix& values, const Matrix& moment) override {
    std::vector<double> losses;
    for (int64_t r = 0; r < weights.rows; ++r) {
      double loss = 0;
      for (int64_t i = 0; i < weights.columns; ++i) {
        for (int64_t j = 0; j < weights.columns; ++j) {
          loss += (double{At(weights, r, i)} - At(values, r, i)) * At(moment, i, j) *
                  (double{At(weights, r, j)} - At(values, r, j));
        }
      }
      losses.push_back(loss);
    }
    return losses;
  }

  void Dequantize(const IntGrid& grid, std::span<const int8_t> codes, std::span<const float> scales,
                  const Matrix& to) override {
    for (int64_t r = 0; r < to.rows; ++r) {
      for (int64_t c = 0; c < to.columns; ++c) {
        const int64_t i = r * to.columns + c;
        At(to, r, c) = static_cast<float>(ValueOf(codes[i], scales[i / grid.group], grid));
      }
    }
  }

  // Bit by bit.
  void DequantizePacked(const IntGrid& grid, std::span<const std::byte> packed, const TensorView& scales,
                        const Matrix& to) override {
    const int64_t row_bytes = PackedWords(grid.bits, to.columns) * 4;
    std::vector<float> wide(static_cast<size_t>(scales.elements()));
    ToFloat(scales, wide);
    for (int64_t r = 0; r < to.rows; ++r) {
      for (int64_t c = 0; c < to.columns; ++c) {
        int code = grid.MinCode();
        for (int b = 0; b < grid.bits; ++b) {
          const int64_t bit = c * grid.bits + b;
          const auto byte = static_cast<unsigned>(packed[static_cast<size_t>(r * row_bytes + bit / 8)]);
          code += static_cast<int>((byte >> (bit % 8)) & 1u) << b;
        }
        const float scale = wide[static_cast<size_t>((r * to.columns + c) / grid.group)];
        At(to, r, c) = static_cast<float>(ValueOf(code, scale, grid));
      }
    }
  }

 private:
  static void Append(const std::vector<int8_t>& codes, const std::vector<float>& scales, RoundedLinear& result) {
    result.codes.insert(result.codes.end(), codes.begin(), codes.end());
    result.scales.insert(result.scales.end(), scales.begin(), scales.end());
  }
};

}  // namespace

std::unique_ptr<Rounding> MakeReferenceRounding() { return std::make_unique<ReferenceRounding>(); }

}  // namespace bitwright::worker
