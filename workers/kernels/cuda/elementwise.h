#pragma once

#include "workers/kernels/cuda/launch.h"
#include "workers/kernels/elementwise.h"

// The element-wise operations of device.h, by their names there. Parts without data: none.
namespace bitwright::worker::cuda {

cudaError_t Fill(float value, const Wide& to, cudaStream_t stream);
cudaError_t Copy(const Wide& from, const Wide& to, cudaStream_t stream);

// to += factor · from, the product rounded before it is added
cudaError_t Add(float factor, const Wide& from, const Wide& to, cudaStream_t stream);
// The same of one row, added to every row.
cudaError_t AddToRows(float factor, const Wide& row, const Wide& to, cudaStream_t stream);

cudaError_t NarrowToBf16(const Wide& from, const Narrow& to, cudaStream_t stream);

// Each row as SiteFormat has it.
cudaError_t RoundAtSite(SiteFormat site, const Wide& from, const Wide& to, cudaStream_t stream);

cudaError_t Activate(Activation activation, const Wide& gate, const Wide& up, const Wide& out, cudaStream_t stream);
cudaError_t ActivateBack(Activation activation, const Wide& gate, const Wide& up, const Wide& dout, const Wide& dgate,
                         const Wide& dup, cudaStream_t stream);

cudaError_t Cap(float cap, const Wide& x, cudaStream_t stream);
cudaError_t CapBack(float cap, const Wide& capped, const Wide& d, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
