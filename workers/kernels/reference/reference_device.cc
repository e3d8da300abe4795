#include "workers/kernels/reference/reference_device.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "workers/kernels/reference/reference_memory.h"
#include "workers/kernels/reference/reference_rounding.h"
#include "workers/tensor/float16.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker {
namespace {

float* Row(const Matrix& m, int64_t row) { return &At(m, row, 0); }
float& At(const Heads& h, int64_t row, int64_t head, int64_t i) { return At(h.x, row, head * h.stride + i); }

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

class ReferenceDevice final : public Device {
 public:
  Rounding& rounding() override { return *rounding_; }
  std::unique_ptr<DeviceMemory> Allocate(DType type, int64_t elements) override {
    return std::make_unique<HostMemory>(type, elements);
  }

  void Write(std::span<const float> from, const Matrix& to) override {
    ForAll(to, [&](int64_t r, int64_t c) { At(to, r, c) = from[r * to.columns + c]; });
  }
  void Read(const Matrix& from, std::span<float> to) override {
    ForAll(from, [&](int64_t r, int64_t c) { to[r * from.columns + c] = At(from, r, c); });
  }
  void Load(const TensorView& tensor, int64_t first, const Matrix& to) override {
    ForAll(to, [&](int64_t r, int64_t c) { ToFloat(tensor, first + r * to.columns + c, 1, &At(to, r, c)); });
  }
  void LoadTransposed(const TensorView& tensor, const Matrix& to) override {
    ForAll(to, [&](int64_t r, int64_t c) { ToFloat(tensor, c * to.rows + r, 1, &At(to, r, c)); });
  }
  void LoadRows(const TensorView& table, std::span<const int32_t> rows, float factor, bool add,
                const Matrix& to) override {
    ForAll(to, [&](int64_t r, int64_t c) {
      float value = 0;
      ToFloat(table, rows[r] * to.columns + c, 1, &value);
      At(to, r, c) = (add ? At(to, r, c) : 0) + factor * value;
    });
  }
  void Narrow(const Matrix& from, const Matrix& to) override {
    ForAll(from, [&](int64_t r, int64_t c) { At(to, r, c) = Bf16ToFloat(FloatToBf16(At(from, r, c))); });
  }
  void Fill(float value, const Matrix& to) override {
    ForAll(to, [&](int64_t r, int64_t c) { At(to, r, c) = value; });
  }
  void Copy(const Matrix& from, const Matrix& to) override {
    ForAll(to, [&](int64_t r, int64_t c) { At(to, r, c) = At(from, r, c); });
  }
  void Add(float factor, const Matrix& from, const Matrix& to) override {
    ForAll(to, [&](int64_t r, int64_t c) { At(to, r, c) += factor * At(from, r, c); });
  }

  void Multiply(const Matrix& x, const Affine& affine, const Matrix& out) override {
    const bool narrow = affine.w.memory->type() == DType::kBF16;
    std::vector<float> row(static_cast<size_t>(x.columns));
    ForAll(out, [&](int64_t r, int64_t c) {
      if (c == 0) std::copy_n(Row(x, r), x.columns, row.data());
      if (c == 0 && affine.site.rounds()) ReferenceRoundAtSite(affine.site, row.data(), x.columns, row.data());
      double sum = affine.bias.has_value() ? At(affine.bias, 0, c) : 0;
      for (int64_t i = 0; i < x.columns; ++i) {
        const float value = row[static_cast<size_t>(i)];
        sum += double{narrow ? Bf16ToFloat(FloatToBf16(value)) : value} * At(affine.w, c, i);
      }
      At(out, r, c) = static_cast<float>((affine.add ? At(out, r, c) : 0) + affine.factor * sum);
    });
  }

  void Norm(const Heads& x, const NormParts& parts, const Heads& out) override {
    for (int64_t r = 0; r < x.x.rows; ++r) {
      for (int64_t h = 0; h < x.count; ++h) {
        float* from = &At(x, r, h, 0);
        float* to = &At(out, r, h, 0);
        const float* bias = parts.bias.has_value() ? Row(parts.bias, 0) : nullptr;
        if (parts.centered) {
          ReferenceLayerNorm(from, Row(parts.weight, 0), bias, parts.eps, x.dim, to);
        } else {
          ReferenceRmsNorm(from, Row(parts.weight, 0), parts.eps, 1, x.dim, 0, to);
        }
      }
    }
  }

  void Rotate(const RotaryParts& parts, bool backwards, const Heads& x) override {
    const int64_t half = parts.rotary / 2;
    for (int64_t r = 0; r < x.x.rows; ++r) {
      for (int64_t h = 0; h < x.count; ++h) {
        for (int64_t i = 0; i < half; ++i) {
          float& a = At(x, r, h, parts.interleaved ? 2 * i : i);
          float& b = At(x, r, h, parts.interleaved ? 2 * i + 1 : i + half);
          const double c = At(parts.cos, r % parts.cos.rows, i);
          const double s = At(parts.sin, r % parts.cos.rows, i) * (backwards ? -1 : 1);
          const double rotated = a * c - b * s;
          b = static_cast<float>(b * c + a * s);
          a = static_cast<float>(rotated);
        }
      }
    }
  }

  void Attend(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, const Heads& out) override {
    for (int64_t r = 0; r < q.x.rows; ++r) {
      for (int64_t h = 0; h < q.count; ++h) AttendOne(parts, q, k, v, r, h, out);
    }
  }

  void Activate(Activation activation, const Matrix& gate, const Matrix& up, const Matrix& out) override {
    for (int64_t r = 0; r < gate.rows; ++r) {
      if (up.has_value()) {
        ReferenceActivateMul(activation, Row(gate, r), Row(up, r), gate.columns, Row(out, r));
      } else {
        ReferenceActivate(activation, Row(gate, r), gate.columns, Row(out, r));
      }
    }
  }
  void Cap(float cap, const Matrix& x) override {
    for (int64_t r = 0; r < x.rows; ++r) ReferenceSoftCap(cap, Row(x, r), x.columns);
  }

  Routing Route(const Matrix& logits, int64_t chosen, bool normalized) override {
    Routing routing;
    routing.rows.resize(static_cast<size_t>(logits.columns));
    routing.weights.resize(routing.rows.size());
    std::vector<int32_t> order(static_cast<size_t>(logits.columns));
    for (int64_t r = 0; r < logits.rows; ++r) {
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(),
                       [&](int32_t a, int32_t b) { return At(logits, r, a) > At(logits, r, b); });
      double all = 0, best = 0;
      const auto weight = [&](size_t i) { return std::exp(double{At(logits, r, order[i])} - At(logits, r, order[0])); };
      for (size_t i = 0; i < order.size(); ++i) all += weight(i);
      for (size_t i = 0; i < static_cast<size_t>(chosen); ++i) best += weight(i);
      for (size_t i = 0; i < static_cast<size_t>(chosen); ++i) {
        routing.rows[order[i]].push_back(static_cast<int32_t>(r));
        routing.weights[order[i]].push_back(static_cast<float>(weight(i) / (normalized ? best : all)));
      }
    }
    return routing;
  }
  void GatherRows(const Matrix& from, std::span<const int32_t> rows, const Matrix& to) override {
    ForAll(to, [&](int64_t r, int64_t c) { At(to, r, c) = At(from, rows[r], c); });
  }
  void AddRows(const Matrix& from, std::span<const int32_t> rows, std::span<const float> weights,
               const Matrix& to) override {
    ForAll(from, [&](int64_t r, int64_t c) { At(to, rows[r], c) += weights[r] * At(from, r, c); });
  }
  void AddGated(float factor, const Matrix& gate, const Matrix& from, const Matrix& to) override {
    ForAll(to, [&](int64_t r, int64_t c) {
      At(to, r, c) += static_cast<float>(factor * Sigmoid(At(gate, r, 0)) * At(from, r, c));
    });
  }

  void MultiplyBack(const Matrix& dy, const Matrix& w, float factor, const Matrix& dx) override {
    ForAll(dx, [&](int64_t r, int64_t c) {
      double sum = 0;
      for (int64_t o = 0; o < dy.columns; ++o) sum += double{At(dy, r, o)} * At(w, o, c);
      At(dx, r, c) += static_cast<float>(factor * sum);
    });
  }
  void AddOuter(const Matrix& dy, const Matrix& x, float factor, const Matrix& dw) override {
    ForAll(dw, [&](int64_t o, int64_t i) {
      double sum = 0;
      for (int64_t r = 0; r < x.rows; ++r) sum += double{At(dy, r, o)} * At(x, r, i);
      At(dw, o, i) += static_cast<float>(factor * sum);
    });
  }

  // The derivative of every output of a head with respect to every input, one by one.
  void NormBack(const Heads& x, const NormParts& parts, const Heads& dy, const Heads& dx,
                const NormGradients& gradients) override {
    const double n = static_cast<double>(x.dim);
    for (int64_t r = 0; r < x.x.rows; ++r) {
      for (int64_t h = 0; h < x.count; ++h) {
        double mean = 0, squares = 0;
        for (int64_t i = 0; parts.centered && i < x.dim; ++i) mean += At(x, r, h, i) / n;
        for (int64_t i = 0; i < x.dim; ++i) squares += std::pow(At(x, r, h, i) - mean, 2);
        const double scale = 1 / std::sqrt(squares / n + parts.eps);
        const auto centered = [&](int64_t i) { return At(x, r, h, i) - mean; };
        for (int64_t i = 0; i < x.dim; ++i) {
          double sum = 0;
          for (int64_t o = 0; o < x.dim; ++o) {
            const double own = (o == i ? 1 : 0) - (parts.centered ? 1 / n : 0);
            const double slope = scale * own - centered(o) * centered(i) * scale * scale * scale / n;
            sum += double{At(dy, r, h, o)} * At(parts.weight, 0, o) * slope;
          }
          At(dx, r, h, i) += static_cast<float>(sum);
          if (gradients.weight.has_value()) {
            At(gradients.weight, 0, i) += static_cast<float>(At(dy, r, h, i) * centered(i) * scale);
          }
          if (gradients.bias.has_value()) At(gradients.bias, 0, i) += At(dy, r, h, i);
        }
      }
    }
  }

  void AttendBack(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, const Heads& dout,
                  const Heads& dq, const Heads& dk, const Heads& dv) override {
    for (int64_t r = 0; r < q.x.rows; ++r) {
      for (int64_t h = 0; h < q.count; ++h) AttendOneBack(parts, q, k, v, r, h, dout, dq, dk, dv);
    }
  }

  void ActivateBack(Activation activation, const Matrix& gate, const Matrix& up, const Matrix& dout,
                    const Matrix& dgate, const Matrix& dup) override {
    for (int64_t r = 0; r < gate.rows; ++r) {
      const bool gated = up.has_value();
      ReferenceActivateBack(activation, Row(gate, r), gated ? Row(up, r) : nullptr, Row(dout, r), gate.columns,
                            Row(dgate, r), gated ? Row(dup, r) : nullptr);
    }
  }
  void CapBack(float cap, const Matrix& capped, const Matrix& d) override {
    ForAll(d, [&](int64_t r, int64_t c) {
      At(d, r, c) *= static_cast<float>(1 - std::pow(double{At(capped, r, c)} / cap, 2));
    });
  }
  void AddGatedBack(float factor, const Matrix& gate, const Matrix& from, const Matrix& dto, const Matrix& dgate,
                    const Matrix& dfrom) override {
    ForAll(dto, [&](int64_t r, int64_t c) {
      const double open = Sigmoid(At(gate, r, 0));
      At(dgate, r, 0) += static_cast<float>(factor * open * (1 - open) * At(from, r, c) * At(dto, r, c));
      At(dfrom, r, c) += static_cast<float>(factor * open * At(dto, r, c));
    });
  }
  void RouteBack(const Matrix& logits, const Routing& routing, bool normalized,
                 std::span<const std::vector<float>> dweights, const Matrix& dlogits) override {
    for (int64_t r = 0; r < logits.rows; ++r) {
      std::vector<double> p, chosen(static_cast<size_t>(logits.columns)), d(chosen.size());
      for (const double value : LogSoftmax(logits, r)) p.push_back(std::exp(value));
      double all = 0;  // of the probabilities of those chosen
      for (size_t e = 0; e < routing.rows.size(); ++e) {
        for (size_t i = 0; i < routing.rows[e].size(); ++i) {
          if (routing.rows[e][i] != r) continue;
          chosen[e] = 1;
          d[e] = dweights[e][i];
          all += p[e];
        }
      }
      for (size_t j = 0; j < p.size(); ++j) {
        double sum = 0;
        for (size_t e = 0; e < p.size(); ++e) {
          if (chosen[e] == 0) continue;
          // Of weight e with respect to logit j: p_e, over `all` where normalized, and all itself depends on j.
          const double slope = p[e] * ((e == j ? 1 : 0) - p[j]);
          const double slope_of_all = chosen[j] * p[j] - all * p[j];
          sum += d[e] * (normalized ? slope / all - p[e] / (all * all) * slope_of_all : slope);
        }
        At(dlogits, r, static_cast<int64_t>(j)) += static_cast<float>(sum);
      }
    }
  }
  void DotRows(const Matrix& a, const Matrix& b, std::span<const int32_t> rows, std::span<float> results) override {
    for (int64_t r = 0; r < a.rows; ++r) {
      double sum = 0;
      for (int64_t c = 0; c < a.columns; ++c) sum += double{At(a, r, c)} * At(b, rows[r], c);
      results[r] = static_cast<float>(sum);
    }
  }
  void ScaleRows(std::span<const float> factors, const Matrix& x) override {
    ForAll(x, [&](int64_t r, int64_t c) { At(x, r, c) *= factors[r]; });
  }
  void Sample(const Matrix& logits, std::span<const double> uniforms, std::span<int32_t> labels) override {
    for (int64_t r = 0; r < logits.rows; ++r) {
      const std::vector<double> log_p = LogSoftmax(logits, r);
      double sum = 0;
      for (size_t i = 0; i < log_p.size() && sum <= uniforms[r]; ++i) {
        sum += std::exp(log_p[i]);
        if (std::exp(log_p[i]) > 0) labels[r] = static_cast<int32_t>(i);
      }
    }
  }
  void LossBack(const Matrix& logits, std::span<const int32_t> labels, std::span<double> losses) override {
    for (int64_t r = 0; r < logits.rows; ++r) {
      const std::vector<double> log_p = LogSoftmax(logits, r);
      const int32_t label = labels[r];
      losses[r] = label < 0 ? 0 : -log_p[static_cast<size_t>(label)];
      for (int64_t c = 0; c < logits.columns; ++c) {
        const double p = std::exp(log_p[static_cast<size_t>(c)]);
        At(logits, r, c) = label < 0 ? 0 : static_cast<float>(p - (c == label ? 1 : 0));
      }
    }
  }

  void Compare(const Matrix& base, const Matrix& other, std::span<const int32_t> targets,
               std::span<TokenComparison> results) override {
    for (int64_t r = 0; r < base.rows; ++r) {
      const std::vector<double> log_b = LogSoftmax(base, r), log_o = LogSoftmax(other, r);
      const size_t target = static_cast<size_t>(targets[r]);
      TokenComparison& token = results[r];
      token = {-log_b[target], -log_o[target]};
      for (size_t i = 0; i < log_b.size(); ++i) token.kl += std::exp(log_b[i]) * (log_b[i] - log_o[i]);
      token.kl = token.kl < 0 ? 0 : token.kl;
      token.p_delta = std::exp(log_o[target]) - std::exp(log_b[target]);
      const auto top = [](const float* row, int64_t n) { return std::max_element(row, row + n) - row; };
      token.same_top = top(Row(base, r), base.columns) == top(Row(other, r), base.columns);
    }
  }

  void AddMoment(const Matrix& x, const Matrix& sums) override {
    ForAll(sums, [&](int64_t i, int64_t j) {
      if (j < i) return;
      double sum = 0;
      for (int64_t r = 0; r < x.rows; ++r) sum += double{At(x, r, i)} * At(x, r, j);
      At(sums, i, j) += static_cast<float>(sum);
    });
  }
  void AddSquares(const Matrix& x, const Matrix& sums) override {
    ForAll(sums, [&](int64_t i, int64_t j) {
      double sum = 0;
      for (int64_t r = 0; r < x.rows; ++r) sum += double{At(x, r, j)} * At(x, r, j);
      At(sums, i, j) += static_cast<float>(sum);
    });
  }
  void ReadTriangle(const Matrix& from, float factor, std::span<float> to) override {
    ForAll(from, [&](int64_t i, int64_t j) {
      if (j >= i) to[PackedTriangleIndex(from.columns, i, j)] = factor * At(from, i, j);
    });
  }

 private:
  template <typename F>
  static void ForAll(const Matrix& shape, const F& element) {
    for (int64_t r = 0; r < shape.rows; ++r) {
      for (int64_t c = 0; c < shape.columns; ++c) element(r, c);
    }
  }

  static std::vector<double> LogSoftmax(const Matrix& logits, int64_t row) {
    std::vector<double> values(Row(logits, row), Row(logits, row) + logits.columns);
    const double top = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (const double value : values) sum += std::exp(value - top);
    for (double& value : values) value -= top + std::log(sum);
    return values;
  }

  // By the probabilities of one query alone.
  static void AttendOneBack(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, int64_t row,
                            int64_t head, const Heads& dout, const Heads& dq, const Heads& dk, const Heads& dv) {
    const int64_t shared = head / (q.count / k.count), position = row % parts.window, start = row - position;
    const int64_t first = parts.reach > 0 ? std::max<int64_t>(position - parts.reach + 1, 0) : 0;
    const size_t keys = static_cast<size_t>(position - first + 1);
    std::vector<double> capped(keys), p(keys), dp(keys);
    const auto key = [&](size_t s) { return start + first + static_cast<int64_t>(s); };
    for (size_t s = 0; s < keys; ++s) {
      double score = 0;
      for (int64_t i = 0; i < q.dim; ++i) score += double{At(q, row, head, i)} * At(k, key(s), shared, i);
      score *= parts.scale;
      capped[s] = parts.soft_cap > 0 ? parts.soft_cap * std::tanh(score / parts.soft_cap) : score;
      for (int64_t i = 0; i < v.dim; ++i) dp[s] += double{At(dout, row, head, i)} * At(v, key(s), shared, i);
    }
    const double top = *std::max_element(capped.begin(), capped.end());
    double sum = 0, dot = 0;
    for (size_t s = 0; s < keys; ++s) sum += p[s] = std::exp(capped[s] - top);
    for (size_t s = 0; s < keys; ++s) dot += (p[s] /= sum) * dp[s];
    for (size_t s = 0; s < keys; ++s) {
      double dscore = p[s] * (dp[s] - dot) * parts.scale;
      if (parts.soft_cap > 0) dscore *= 1 - std::pow(capped[s] / parts.soft_cap, 2);
      for (int64_t i = 0; i < q.dim; ++i) {
        At(dq, row, head, i) += static_cast<float>(dscore * At(k, key(s), shared, i));
        At(dk, key(s), shared, i) += static_cast<float>(dscore * At(q, row, head, i));
      }
      for (int64_t i = 0; i < v.dim; ++i)
        At(dv, key(s), shared, i) += static_cast<float>(p[s] * At(dout, row, head, i));
    }
  }

  static void AttendOne(const AttentionParts& parts, const Heads& q, const Heads& k, const Heads& v, int64_t row,
                        int64_t head, const Heads& out) {
    const int64_t shared = head / (q.count / k.count), position = row % parts.window, start = row - position;
    const int64_t first = parts.reach > 0 ? std::max<int64_t>(position - parts.reach + 1, 0) : 0;
    std::vector<double> scores;
    for (int64_t s = first; s <= position; ++s) {
      double score = 0;
      for (int64_t i = 0; i < q.dim; ++i) score += double{At(q, row, head, i)} * At(k, start + s, shared, i);
      score *= parts.scale;
      scores.push_back(parts.soft_cap > 0 ? parts.soft_cap * std::tanh(score / parts.soft_cap) : score);
    }
    const double top = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score - top);
    for (int64_t i = 0; i < v.dim; ++i) {
      double value = 0;
      for (size_t s = 0; s < scores.size(); ++s) {
        value += scores[s] * At(v, start + first + static_cast<int64_t>(s), shared, i);
      }
      At(out, row, head, i) = static_cast<float>(value / sum);
    }
  }

  const std::unique_ptr<Rounding> rounding_ = MakeReferenceRounding();
};

}  // namespace

std::unique_ptr<Device> MakeReferenceDevice() { return std::make_unique<ReferenceDevice>(); }

}  // namespace bitwright::worker
