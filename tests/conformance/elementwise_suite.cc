#include "tests/conformance/elementwise_suite.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numbers>

#include "tests/conformance/expected.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

constexpr float kGuard = 12345.0f;  // beside every output; must stay
constexpr double kUlp = 1.2e-7;

// `count` floats that begin `offset` floats past an aligned address, between guards.
class Guarded {
 public:
  Guarded(const std::vector<float>& values, int64_t offset)
      : storage_(values.size() + 2 * kMargin, kGuard),
        first_(kMargin + static_cast<size_t>(offset)),
        size_(values.size()) {
    std::copy(values.begin(), values.end(), data());
  }
  ~Guarded() {
    for (size_t i = 0; i < storage_.size(); ++i) {
      if (i >= first_ && i < first_ + size_) continue;
      EXPECT_EQ(storage_[i], kGuard) << "written outside, at " << i;
    }
  }
  float* data() { return storage_.data() + first_; }
  float operator[](int64_t i) const { return storage_[first_ + static_cast<size_t>(i)]; }

 private:
  static constexpr size_t kMargin = 20;
  std::vector<float> storage_;
  size_t first_, size_;
};

void CheckSoftmaxRange(const KernelSet& kernels, const std::vector<float>& input, int64_t begin, int64_t end,
                       int64_t offset) {
  const int64_t n = static_cast<int64_t>(input.size());
  Guarded x(input, offset);
  kernels.softmax(x.data(), n, begin, end);
  const double top = *std::max_element(input.begin() + begin, input.begin() + end);
  double sum = 0;
  for (int64_t i = begin; i < end; ++i) sum += std::exp(input[static_cast<size_t>(i)] - top);
  for (int64_t i = 0; i < n; ++i) {
    const bool inside = i >= begin && i < end;
    const double expected = inside ? std::exp(input[static_cast<size_t>(i)] - top) / sum : 0;
    // x − max is rounded to f32 first: an error of up to |x − max| units in the exponent.
    const double spread = inside ? top - input[static_cast<size_t>(i)] : 0;
    ExpectClose(x[i], expected, (8 + spread) * kUlp, 1e-37, i);
  }
}

}  // namespace

void CheckRmsNorm(const KernelSet& kernels) {
  for (const int64_t n : kSizes) {
    for (const float scale : {1.0f, 1e-12f, 1e15f}) {
      const int64_t rows = 3, stride = n + 2, offset = n % 4;
      const auto input = RandomFloats(rows * stride, 1, scale);
      const auto weight = RandomFloats(n, 2);
      std::vector<float> sentinel(static_cast<size_t>(rows * stride), -7.0f);
      Guarded x(input, offset), w(weight, offset), out(sentinel, offset);
      kernels.rms_norm(x.data(), w.data(), 1e-5f, rows, n, stride, out.data());
      for (int64_t r = 0; r < rows; ++r) {
        double sum = 0;
        for (int64_t i = 0; i < n; ++i) sum += double{x[r * stride + i]} * x[r * stride + i];
        const double norm = 1 / std::sqrt(sum / static_cast<double>(n) + double{1e-5f});
        for (int64_t i = 0; i < n; ++i) {
          ExpectClose(out[r * stride + i], x[r * stride + i] * norm * w[i], 20 * kUlp, 1e-37, i);
        }
        EXPECT_EQ(out[r * stride + n], -7.0f) << "between the rows";
      }
      kernels.rms_norm(x.data(), w.data(), 1e-5f, rows, n, stride, x.data());
      for (int64_t i = 0; i < n; ++i) EXPECT_EQ(x[i], out[i]) << "in place";
    }
  }
}

void CheckLayerNorm(const KernelSet& kernels) {
  for (const int64_t n : kSizes) {
    for (const bool has_bias : {true, false}) {
      const auto weight = RandomFloats(n, 2), bias = RandomFloats(n, 3);
      auto input = RandomFloats(n, 1, 4);
      for (float& value : input) value += 3;  // a mean that matters
      Guarded x(input, n % 4), w(weight, 1), b(bias, 2), out(std::vector<float>(input.size(), -7.0f), n % 4);
      kernels.layer_norm(x.data(), w.data(), has_bias ? b.data() : nullptr, 1e-3f, n, out.data());
      double sum = 0, squares = 0;
      for (const float value : input) sum += value;
      const double mean = sum / static_cast<double>(n);
      for (const float value : input) squares += (value - mean) * (value - mean);
      const double norm = 1 / std::sqrt(squares / static_cast<double>(n) + double{1e-3f});
      for (int64_t i = 0; i < n; ++i) {
        // The mean itself is rounded: an error of a few units of the largest element, whatever the difference.
        ExpectClose(out[i], (x[i] - mean) * norm * w[i] + (has_bias ? b[i] : 0), 20 * kUlp, 40 * kUlp * norm, i);
      }
      kernels.layer_norm(x.data(), w.data(), has_bias ? b.data() : nullptr, 1e-3f, n, x.data());
      for (int64_t i = 0; i < n; ++i) EXPECT_EQ(x[i], out[i]) << "in place";
    }
  }
}

namespace {

void CheckRotation(decltype(&ApplyRope) rotate, bool interleaved) {
  for (const int64_t half : kSizes) {
    const int64_t rows = 2, heads = 3, head_stride = 2 * half + half % 3, stride = heads * head_stride + 5;
    const auto input = RandomFloats(rows * stride, 3);
    std::vector<float> cosines, sines;
    for (int64_t i = 0; i < rows * half; ++i) {
      cosines.push_back(static_cast<float>(std::cos(0.1 * static_cast<double>(i))));
      sines.push_back(static_cast<float>(std::sin(0.1 * static_cast<double>(i))));
    }
    Guarded x(input, half % 4), c(cosines, 1), s(sines, 3);
    rotate(x.data(), rows, stride, heads, head_stride, 2 * half, c.data(), s.data());
    std::vector<double> expected(input.begin(), input.end());
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t h = 0; h < heads; ++h) {
        for (int64_t i = 0; i < half; ++i) {
          const int64_t first = r * stride + h * head_stride + (interleaved ? 2 * i : i);
          const int64_t second = first + (interleaved ? 1 : half);
          const double a = input[static_cast<size_t>(first)], b = input[static_cast<size_t>(second)];
          expected[static_cast<size_t>(first)] = a * c[r * half + i] - b * s[r * half + i];
          expected[static_cast<size_t>(second)] = b * c[r * half + i] + a * s[r * half + i];
        }
      }
    }
    for (size_t i = 0; i < expected.size(); ++i) {  // what is no pair stays as it is
      ExpectClose(x[static_cast<int64_t>(i)], expected[i], 0, 4 * kUlp, static_cast<int64_t>(i));
    }
  }
}

}  // namespace

void CheckApplyRope(const KernelSet& kernels) {
  CheckRotation(kernels.apply_rope, false);
  CheckRotation(kernels.apply_rope_interleaved, true);
}

void CheckSoftmax(const KernelSet& kernels) {
  for (const int64_t n : kSizes) {
    CheckSoftmaxRange(kernels, RandomFloats(n, 4, 10), 0, n, n % 4);
    CheckSoftmaxRange(kernels, RandomFloats(n, 5, 80), n / 3, n, 1);
    CheckSoftmaxRange(kernels, RandomFloats(n, 6), n / 3, n / 3 + 1, 0);
    CheckSoftmaxRange(kernels, RandomFloats(n, 7, 1e4f), 0, n - n / 4, 2);  // all but the largest underflow
    CheckSoftmaxRange(kernels, std::vector<float>(static_cast<size_t>(n), -3e38f), 0, n, 3);
  }
}

void CheckActivations(const KernelSet& kernels) {
  using Of = double (*)(double);
  const std::pair<Activation, Of> activations[] = {
      {Activation::kSilu, [](double x) { return x / (1 + std::exp(-x)); }},
      {Activation::kGelu, [](double x) { return x / 2 * std::erfc(-x / std::numbers::sqrt2); }},
      {Activation::kGeluTanh,
       [](double x) { return x / (1 + std::exp(-2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x))); }},
      {Activation::kRelu, [](double x) { return std::max(x, 0.0); }},
  };
  const std::vector<float> extremes = {0.0f,  -0.0f,  1e-30f, -1e-30f, 20.0f,  -20.0f, 87.0f, -87.0f,
                                       88.8f, -88.8f, 100.0f, -100.0f, 1e4f,   -1e4f,  1e12f, -1e12f,
                                       0.5f,  -0.5f,  104.5f, -104.5f, 200.0f, -200.0f};
  for (const auto& [activation, formula] : activations) {
    for (const int64_t n : kSizes) {
      auto gates = RandomFloats(n, 8, 12);
      for (size_t i = 0; i < gates.size(); i += 2)
        gates[i] = extremes[(i / 2 + static_cast<size_t>(n)) % extremes.size()];
      const auto ups = RandomFloats(n, 9);
      Guarded gate(gates, n % 4), up(ups, 1), out(std::vector<float>(gates.size(), -7.0f), 2);
      kernels.activate(activation, gate.data(), n, out.data());
      kernels.activate_mul(activation, gate.data(), up.data(), n, gate.data());
      for (int64_t i = 0; i < n; ++i) {
        const double g = gates[static_cast<size_t>(i)], expected = formula(g);
        // The exponent y of exp(y) is rounded: an error of |y| units. Far below zero the true value is under 1e-35: any
        // value that small will do.
        const double units =
            activation == Activation::kGelu || activation == Activation::kGeluTanh ? 60 + 4 * g * g : 12;
        ExpectClose(out[i], expected, units * kUlp, 1e-35, i);
        ExpectClose(gate[i], expected * ups[static_cast<size_t>(i)], units * kUlp, 1e-35, i);
        EXPECT_FALSE(std::isnan(out[i])) << "gate " << g;
      }
    }
  }
}

void CheckSoftCap(const KernelSet& kernels) {
  for (const int64_t n : kSizes) {
    auto values = RandomFloats(n, 14, 60);
    values[0] = 1e30f;
    Guarded x(values, n % 4);
    kernels.soft_cap(15.0f, x.data(), n);
    for (int64_t i = 0; i < n; ++i) {
      ExpectClose(x[i], 15 * std::tanh(double{values[static_cast<size_t>(i)]} / 15), 20 * kUlp, 20 * kUlp, i);
    }
  }
}

void CheckAdd(const KernelSet& kernels) {
  for (const int64_t n : kSizes) {
    const auto a = RandomFloats(n, 10), b = RandomFloats(n, 11, 1e6f);
    for (const float factor : {1.0f, -0.3f}) {
      Guarded x(a, n % 4), y(b, 1);
      kernels.add_scaled(factor, y.data(), n, x.data());
      for (int64_t i = 0; i < n; ++i) {
        const volatile float product = factor * b[static_cast<size_t>(i)];  // rounded
        EXPECT_EQ(x[i], a[static_cast<size_t>(i)] + product);
      }
    }
  }
}

void CheckNarrowToBf16(const KernelSet& kernels) {
  std::vector<float> values = {0.0f, -0.0f, 1.0f, -1.0f, 3.38e38f, -3.4028235e38f, 1e-45f, -1e-40f, 1.17549435e-38f};
  // Ties to even and their neighbours, at several exponents.
  for (const uint32_t high : {0x3f80u, 0x3f81u, 0xc001u, 0x0000u, 0x0001u, 0x7f7eu}) {
    for (const uint32_t low : {0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      values.push_back(std::bit_cast<float>(high << 16 | low));
  }
  while (values.size() < 600) values.push_back(RandomFloats(1, static_cast<uint32_t>(values.size()), 1e3f)[0]);
  for (const int64_t n : kSizes) {
    std::vector<uint16_t> out(static_cast<size_t>(n) + 1, 0xabcd);
    for (int64_t first = 0; first + n <= 600; first += n) {
      kernels.narrow_to_bf16(values.data() + first, n, out.data());
      for (int64_t i = 0; i < n; ++i) {
        EXPECT_EQ(out[static_cast<size_t>(i)], FloatToBf16(values[static_cast<size_t>(first + i)]))
            << values[static_cast<size_t>(first + i)];
      }
      EXPECT_EQ(out.back(), 0xabcd);
    }
  }
}

void CheckRoundAtSite(const KernelSet& kernels) {
  const SiteFormat site{8};
  for (const int64_t n : kSizes) {
    for (const float spread : {1.0f, 3e-30f, 0.0f}) {
      std::vector<float> values = RandomFloats(n, 12, spread);
      if (n > 3) values[2] = -1.5f * spread;  // the largest, half a code beyond the last one
      float most = 0;
      for (const float value : values) most = std::max(most, std::abs(value));
      const volatile float quotient = most / 127.5f;
      const float scale = quotient == 0 ? 1.1920929e-7f : quotient;
      Guarded x(values, n % 4), out(values, 1);
      kernels.round_at_site(site, x.data(), n, out.data());
      kernels.round_at_site(site, x.data(), n, x.data());
      for (int64_t i = 0; i < n; ++i) {
        const volatile float scaled = values[static_cast<size_t>(i)] / scale;  // rounded
        const double below = std::floor(double{scaled}), above = scaled - below;
        const double nearest = below + (above > 0.5 || (above == 0.5 && std::fmod(below, 2) != 0) ? 1 : 0);
        const volatile float expected = static_cast<float>(std::min(std::max(nearest, -128.0), 127.0)) * scale;
        EXPECT_EQ(x[i], expected) << i << " of " << n;
        EXPECT_EQ(out[i], expected) << i << " of " << n;
      }
    }
  }
}

void CheckAllElementwise(const KernelSet& kernels) {
  CheckRmsNorm(kernels);
  CheckLayerNorm(kernels);
  CheckApplyRope(kernels);
  CheckSoftmax(kernels);
  CheckActivations(kernels);
  CheckSoftCap(kernels);
  CheckAdd(kernels);
  CheckNarrowToBf16(kernels);
  CheckRoundAtSite(kernels);
}

}  // namespace bitwright::worker
