#include "workers/kernels/cuda/elementwise.h"

#include "workers/kernels/cuda/grid.cuh"
#include "workers/kernels/cuda/sums.cuh"

namespace bitwright::worker::cuda {
namespace {

// As FloatToBf16 (float16.h).
__device__ uint16_t Bf16Of(float value) {
  const uint32_t bits = __float_as_uint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// A row to a block. Every step is rounded by itself, as the processor does it: the same bits.
__global__ void RoundAtSiteKernel(float least, float most, float half, float least_scale, Wide from, Wide to) {
  const float* x = from.Row(blockIdx.x);
  float* out = to.Row(blockIdx.x);
  Largest top{0, 0};
  for (int64_t i = threadIdx.x; i < from.columns; i += blockDim.x) top.Take(fabsf(x[i]), 0);
  float scale = __fdiv_rn(BlockLargest(top).value, half);
  if (scale == 0) scale = least_scale;
  for (int64_t i = threadIdx.x; i < from.columns; i += blockDim.x) {
    out[i] = __fmul_rn(rintf(fminf(fmaxf(__fdiv_rn(x[i], scale), least), most)), scale);
  }
}

constexpr float kHalfRoot = 0.70710678118654752f;    // 1/√2
constexpr float kInverseRoot = 0.3989422804014327f;  // 1/√(2π)
constexpr float kTanhFactor = 1.5957691216057308f;   // 2√(2/π): 1 + tanh(y) = 2 / (1 + exp(−2y))
constexpr float kTanhCube = 0.044715f;

__device__ float Sigmoid(float x) { return 1 / (1 + expf(-x)); }

struct ValueAndSlope {
  float value, slope;
};

// An activation and its derivative.
__device__ ValueAndSlope Both(Activation activation, float x) {
  switch (activation) {
    case Activation::kSilu: {
      const float open = Sigmoid(x);
      return {x * open, open + x * (open * (1 - open))};
    }
    case Activation::kGelu: {
      const float below = 0.5f * erfcf(-x * kHalfRoot);
      return {x * below, below + x * (kInverseRoot * expf(-0.5f * x * x))};
    }
    case Activation::kGeluTanh: {
      const float square = kTanhCube * x * x;
      const float open = Sigmoid(kTanhFactor * (x + x * square));
      return {x * open, open + x * (open * (1 - open) * (kTanhFactor * (1 + 3 * square)))};
    }
    case Activation::kRelu:
      break;
  }
  return {x > 0 ? x : 0 * x, x > 0 ? 1.0f : 0.0f};  // 0 · NaN stays NaN
}

}  // namespace

cudaError_t Fill(float value, const Wide& to, cudaStream_t stream) {
  return ForElements(to.rows, to.columns, stream, [=] __device__(int64_t r, int64_t c) { to.Row(r)[c] = value; });
}

cudaError_t Copy(const Wide& from, const Wide& to, cudaStream_t stream) {
  if (from.stride == from.columns && to.stride == to.columns) {
    const size_t bytes = static_cast<size_t>(to.rows * to.columns) * sizeof(float);
    return cudaMemcpyAsync(to.data, from.data, bytes, cudaMemcpyDeviceToDevice, stream);
  }
  return ForElements(to.rows, to.columns, stream,
                     [=] __device__(int64_t r, int64_t c) { to.Row(r)[c] = from.Row(r)[c]; });
}

cudaError_t Add(float factor, const Wide& from, const Wide& to, cudaStream_t stream) {
  return ForElements(to.rows, to.columns, stream, [=] __device__(int64_t r, int64_t c) {
    to.Row(r)[c] = __fadd_rn(to.Row(r)[c], __fmul_rn(factor, from.Row(r)[c]));
  });
}

cudaError_t AddToRows(float factor, const Wide& row, const Wide& to, cudaStream_t stream) {
  return ForElements(to.rows, to.columns, stream, [=] __device__(int64_t r, int64_t c) {
    to.Row(r)[c] = __fadd_rn(to.Row(r)[c], __fmul_rn(factor, row.data[c]));
  });
}

cudaError_t NarrowToBf16(const Wide& from, const Narrow& to, cudaStream_t stream) {
  const auto multiple = [](const void* data, int64_t stride, int64_t bytes) {
    return reinterpret_cast<uintptr_t>(data) % bytes == 0 && stride % 4 == 0;
  };
  if (from.columns % 4 == 0 && multiple(from.data, from.stride, 16) && multiple(to.data, to.stride, 8)) {
    return ForElements(from.rows, from.columns / 4, stream, [=] __device__(int64_t r, int64_t c) {
      const float4 four = reinterpret_cast<const float4*>(from.Row(r))[c];
      reinterpret_cast<ushort4*>(to.Row(r))[c] =
          make_ushort4(Bf16Of(four.x), Bf16Of(four.y), Bf16Of(four.z), Bf16Of(four.w));
    });
  }
  return ForElements(from.rows, from.columns, stream,
                     [=] __device__(int64_t r, int64_t c) { to.Row(r)[c] = Bf16Of(from.Row(r)[c]); });
}

cudaError_t RoundAtSite(SiteFormat site, const Wide& from, const Wide& to, cudaStream_t stream) {
  if (from.rows * from.columns == 0) return cudaSuccess;
  RoundAtSiteKernel<<<static_cast<unsigned>(from.rows), kThreads, 0, stream>>>(
      site.Least(), site.Most(), (site.Most() - site.Least()) / 2, SiteFormat::kLeastScale, from, to);
  return cudaGetLastError();
}

cudaError_t Activate(Activation activation, const Wide& gate, const Wide& up, const Wide& out, cudaStream_t stream) {
  return ForElements(gate.rows, gate.columns, stream, [=] __device__(int64_t r, int64_t c) {
    const float factor = up.data == nullptr ? 1.0f : up.Row(r)[c];
    out.Row(r)[c] = Both(activation, gate.Row(r)[c]).value * factor;
  });
}

cudaError_t ActivateBack(Activation activation, const Wide& gate, const Wide& up, const Wide& dout, const Wide& dgate,
                         const Wide& dup, cudaStream_t stream) {
  return ForElements(gate.rows, gate.columns, stream, [=] __device__(int64_t r, int64_t c) {
    const auto [value, slope] = Both(activation, gate.Row(r)[c]);
    const float given = dout.Row(r)[c];
    dgate.Row(r)[c] += slope * given * (up.data == nullptr ? 1.0f : up.Row(r)[c]);
    if (up.data != nullptr) dup.Row(r)[c] += value * given;
  });
}

cudaError_t Cap(float cap, const Wide& x, cudaStream_t stream) {
  return ForElements(x.rows, x.columns, stream, [=] __device__(int64_t r, int64_t c) {
    float* at = x.Row(r) + c;
    *at = cap * tanhf(*at / cap);
  });
}

cudaError_t CapBack(float cap, const Wide& capped, const Wide& d, cudaStream_t stream) {
  return ForElements(d.rows, d.columns, stream, [=] __device__(int64_t r, int64_t c) {
    const float share = capped.Row(r)[c] / cap;
    d.Row(r)[c] *= 1 - share * share;
  });
}

}  // namespace bitwright::worker::cuda
