#include "workers/kernels/cuda/cuda_cards.h"

#include <dlfcn.h>

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

// DEVICE_UNAVAILABLE, of `device`.
absl::Status LoadLibraries(const std::string& device) {
  if (Cublas() != nullptr && Cusolver() != nullptr) return absl::OkStatus();
  return DeviceUnavailableError(device, "cuBLAS and cuSOLVER of CUDA " + std::to_string(CUDART_VERSION / 1000) +
                                            " cannot be loaded; install them, or say where by ldconfig");
}

absl::StatusOr<Context> MakeContext(int ordinal) {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || ordinal >= count) {
    return DeviceUnavailableError(CudaName(ordinal), "there is no such card, or no driver for it");
  }
  ABSL_RETURN_IF_ERROR(LoadLibraries(CudaName(ordinal)));
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
    return DeviceUnavailableError(CudaName(ordinal), error.what());
  }
}

}  // namespace cuda

namespace {

std::string IdOf(const cudaUUID_t& uuid) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const char byte : uuid.bytes) {
    const auto value = static_cast<unsigned char>(byte);
    id += {kDigits[value >> 4], kDigits[value & 15]};
  }
  return id;
}

}  // namespace

absl::Status LoadCudaLibraries() {
  // Never closed: CUDA's runtime loads the same one by itself, under this name.
  if (::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) == nullptr) {
    return DeviceUnavailableError("cuda", "there is no driver (libcuda.so.1) for NVIDIA cards here");
  }
  return cuda::LoadLibraries("cuda");
}

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
                     .memory_bytes = static_cast<int64_t>(properties.totalGlobalMem),
                     .id = IdOf(properties.uuid)});
  }
  return cards;
}

}  // namespace bitwright::worker
