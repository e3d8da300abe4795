#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/base/thread_pool.h"
#include "workers/kernels/device.h"

namespace bitwright::worker {

// A graphics processor that this machine offers through CUDA.
struct CudaCard {
  int ordinal = 0;            // as CUDA counts them here
  std::string name;           // "NVIDIA H100 80GB HBM3"
  std::string compute_class;  // "cuda-sm90-132": architecture, and multiprocessors, by which cuBLAS chooses its kernels
  int64_t memory_bytes = 0;   // of the card
  // Its own number, 32 hexadecimal digits, the same in every process of the machine; of a part of a card (MIG) that of
  // the part.
  std::string id;
};

// "cuda:1"
inline std::string CudaName(int ordinal) { return "cuda:" + std::to_string(ordinal); }

// All of them, in CUDA's order; none where there is no driver, or where this build has no CUDA.
std::vector<CudaCard> CudaCards();

// Loads the driver, cuBLAS and cuSOLVER into this process, so that they count in its code version and need not be
// looked for later. UNAVAILABLE, reason DEVICE_UNAVAILABLE: one of them is not there, or this build has no CUDA.
absl::Status LoadCudaLibraries();

// The processor: products by cuBLAS, the rest by kernels of this folder, all on one stream. Its context belongs to the
// process and is made by the first device. UNAVAILABLE, reason DEVICE_UNAVAILABLE: there is no such card, no driver, no
// cuBLAS, or this build has no CUDA. What is left to the host runs on the pool, which must outlive the device.
absl::StatusOr<std::unique_ptr<Device>> MakeCudaDevice(int ordinal, ThreadPool& pool);

}  // namespace bitwright::worker
