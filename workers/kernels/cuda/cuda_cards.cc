#include "workers/kernels/cuda/cuda_cards.h"

#include <map>
#include <string>

#include "absl/synchronization/mutex.h"
#include "proto/base/status_macros.h"
#include "workers/kernels/cuda/cuda_device.h"
#include "workers/kernels/cuda/cuda_libraries.h"
#include "workers/kernels/kernels_errors.h"

namespace bitwright::worker {
namespace cuda {
namespace {

// cuBLAS takes what it needs beside matrices from here and nowhere else: 32 MiB, as it would take itself on a card of
// compute capability 9.0 (its manual, "cublasSetWorkspace").
constexpr size_t kWorkspaceBytes = size_t{32} << 20;

absl::StatusOr<Context> MakeContext(int ordinal) {
  const std::string device = "cuda:" + std::to_string(ordinal);
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || ordinal >= count) {
    return DeviceUnavailableError(device, "there is no such card, or no driver for it");
  }
  if (Cublas() == nullptr || Cusolver() == nullptr) {
    return DeviceUnavailableError(device, "cuBLAS and cuSOLVER of CUDA " + std::to_string(CUDART_VERSION / 1000) +
                                              " cannot be loaded; install them, or say where by ldconfig");
  }
  Context context{.ordinal = ordinal};
  Check(cudaSetDevice(ordinal), "choosing the device");
  Check(cudaStreamCreateWithFlags(&context.stream, cudaStreamNonBlocking), "making a stream");
  cudaMemPool_t pool = nullptr;
  Check(cudaDeviceGetDefaultMemPool(&pool, ordinal), "finding the memory pool");
  uint64_t keep = UINT64_MAX;  // what is given back stays in the process for its next use
  Check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep), "keeping memory");
  const CublasApi& api = *Cublas();
  CheckCublas(api.create(&context.cublas), "making a cuBLAS handle");
  void* workspace = nullptr;
  Check(cudaMalloc(&workspace, kWorkspaceBytes), "allocating cuBLAS's workspace");
  CheckCublas(api.set_stream(context.cublas, context.stream), "setting cuBLAS's stream");
  CheckCublas(api.set_workspace(context.cublas, workspace, kWorkspaceBytes), "setting cuBLAS's workspace");
  return context;
}

struct Contexts {
  absl::Mutex mutex;
  std::map<int, Context> made ABSL_GUARDED_BY(mutex);
};

}  // namespace

absl::StatusOr<const Context*> ContextOf(int ordinal) {
  static auto& contexts = *new Contexts;
  absl::MutexLock lock(&contexts.mutex);
  const auto found = contexts.made.find(ordinal);
  if (found != contexts.made.end()) return &found->second;
  try {
    ABSL_ASSIGN_OR_RETURN(Context context, MakeContext(ordinal));
    return &contexts.made.emplace(ordinal, context).first->second;
  } catch (const DeviceError& error) {
    return DeviceUnavailableError("cuda:" + std::to_string(ordinal), error.what());
  }
}

}  // namespace cuda

std::vector<CudaCard> CudaCards() {
  std::vector<CudaCard> cards;
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) return cards;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, ordinal) != cudaSuccess) continue;
    cards.push_back({.ordinal = ordinal,
                     .name = properties.name,
                     .compute_class = "cuda-sm" + std::to_string(properties.major * 10 + properties.minor) + "-" +
                                      std::to_string(properties.multiProcessorCount),
                     .memory_bytes = static_cast<int64_t>(properties.totalGlobalMem)});
  }
  return cards;
}

}  // namespace bitwright::worker
