#pragma once

#include "workers/kernels/cuda/launch.h"

namespace bitwright::worker::cuda {

// As NormParts of device.h.
struct NormShape {
  const float* weight = nullptr;
  const float* bias = nullptr;  // null: none
  float eps = 0;
  bool centered = false;
};

// Device::Norm.
cudaError_t Norm(const HeadRows& x, const NormShape& norm, const HeadRows& out, cudaStream_t stream);

// What a head's norm was made with, x̂ = (x − mean) · scale.
struct NormStatistics {
  double mean = 0, scale = 0;
};

// The part of Device::NormBack for x. statistics [rows · heads] is filled for the next.
cudaError_t NormBack(const HeadRows& x, const NormShape& norm, const HeadRows& dy, const HeadRows& dx,
                     NormStatistics* statistics, cudaStream_t stream);

// The part for the norm's own tensors: dweight and dbias [dim], either null. partial: 2 · OwnParts · dim numbers.
int64_t OwnParts(int64_t rows);
cudaError_t NormBackOwn(const HeadRows& x, const NormStatistics* statistics, const HeadRows& dy, double* partial,
                        float* dweight, float* dbias, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
