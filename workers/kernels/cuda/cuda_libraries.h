#pragma once

#include <cublas_v2.h>
#include <cusolverDn.h>

#include <string_view>

namespace bitwright::worker::cuda {

// cuBLAS and cuSOLVER are loaded where a card is used: the program starts on machines that have neither.
struct CublasApi {
  decltype(&cublasCreate_v2) create;
  decltype(&cublasSetStream_v2) set_stream;
  decltype(&cublasSetWorkspace_v2) set_workspace;
  decltype(&cublasGemmEx_64) gemm;
  decltype(&cublasSsyrk_v2_64) ssyrk;
};
struct CusolverApi {
  decltype(&cusolverDnCreate) create;
  decltype(&cusolverDnDestroy) destroy;
  decltype(&cusolverDnSetStream) set_stream;
  decltype(&cusolverDnDpotrf_bufferSize) dpotrf_buffer;
  decltype(&cusolverDnDpotrf) dpotrf;
};

// The library's functions; null where it, or one of them, is not there. Loaded once in a process.
const CublasApi* Cublas();
const CusolverApi* Cusolver();

// Nothing on success. std::bad_alloc where memory is out, else DeviceError that names the operation.
void CheckCublas(cublasStatus_t status, std::string_view operation);
void CheckCusolver(cusolverStatus_t status, std::string_view operation);

}  // namespace bitwright::worker::cuda
