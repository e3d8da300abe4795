#pragma once

#include "workers/kernels/cuda/cuda_memory.h"
#include "workers/kernels/device.h"

// Device's operations of these names, as product.h multiplies.
namespace bitwright::worker::cuda {

void Multiply(const Context& context, const Matrix& x, const Device::Affine& affine, const Matrix& out);
void MultiplyBack(const Context& context, const Matrix& dy, const Matrix& w, float factor, const Matrix& dx);
void AddOuter(const Context& context, const Matrix& dy, const Matrix& x, float factor, const Matrix& dw);
void AddMoment(const Context& context, const Matrix& x, const Matrix& sums);

}  // namespace bitwright::worker::cuda
