#include "workers/kernels/cuda/cuda_libraries.h"

#include <dlfcn.h>

#include <new>
#include <optional>
#include <string>

#include "workers/kernels/device.h"

namespace bitwright::worker::cuda {
namespace {

// Functions of one shared library.
class Library {
 public:
  explicit Library(const char* name) : handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {}

  template <typename F>
  Library& Find(const char* name, F*& function) {
    function = handle_ == nullptr ? nullptr : reinterpret_cast<F*>(::dlsym(handle_, name));
    complete_ = complete_ && function != nullptr;
    return *this;
  }
  bool complete() const { return complete_; }

 private:
  void* handle_;  // never closed: the process uses it to its end
  bool complete_ = true;
};

#define BITWRIGHT_TEXT(x) #x
#define BITWRIGHT_NAME(x) BITWRIGHT_TEXT(x)

std::optional<CublasApi> LoadCublas() {
  CublasApi api;
  Library library("libcublas.so." BITWRIGHT_NAME(CUBLAS_VER_MAJOR));
  library.Find("cublasCreate_v2", api.create)
      .Find("cublasSetStream_v2", api.set_stream)
      .Find("cublasSetWorkspace_v2", api.set_workspace)
      .Find("cublasGemmEx_64", api.gemm)
      .Find("cublasSsyrk_v2_64", api.ssyrk);
  if (!library.complete()) return std::nullopt;
  return api;
}

std::optional<CusolverApi> LoadCusolver() {
  CusolverApi api;
  Library library("libcusolver.so." BITWRIGHT_NAME(CUSOLVER_VER_MAJOR));
  library.Find("cusolverDnCreate", api.create)
      .Find("cusolverDnDestroy", api.destroy)
      .Find("cusolverDnSetStream", api.set_stream)
      .Find("cusolverDnDpotrf_bufferSize", api.dpotrf_buffer)
      .Find("cusolverDnDpotrf", api.dpotrf);
  if (!library.complete()) return std::nullopt;
  return api;
}

}  // namespace

const CublasApi* Cublas() {
  static const std::optional<CublasApi> api = LoadCublas();
  return api.has_value() ? &*api : nullptr;
}

const CusolverApi* Cusolver() {
  static const std::optional<CusolverApi> api = LoadCusolver();
  return api.has_value() ? &*api : nullptr;
}

void CheckCublas(cublasStatus_t status, std::string_view operation) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  if (status == CUBLAS_STATUS_ALLOC_FAILED) throw std::bad_alloc();
  throw DeviceError(std::string(operation) + " failed in cuBLAS with status " + std::to_string(status));
}

void CheckCusolver(cusolverStatus_t status, std::string_view operation) {
  if (status == CUSOLVER_STATUS_SUCCESS) return;
  if (status == CUSOLVER_STATUS_ALLOC_FAILED) throw std::bad_alloc();
  throw DeviceError(std::string(operation) + " failed in cuSOLVER with status " + std::to_string(status));
}

}  // namespace bitwright::worker::cuda
