#include "workers/kernels/compute_class.h"

#include <cpuid.h>

#include <algorithm>
#include <array>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hwy/targets.h"
#include "proto/base/status_macros.h"
#include "proto/contract/compute_class.h"
#include "proto/contract/devices.h"
#include "workers/kernels/cpu/onednn_limit.h"
#include "workers/kernels/kernels_errors.h"

namespace bitwright::worker {
namespace {

// Rising order: each class has all instructions of those before it.
constexpr std::array<std::string_view, 4> kClasses = {"cpu-x86-64-v2", "cpu-avx2", "cpu-avx512", "cpu-avx512-bf16"};

// What is left to the processor beside a device is to give the same bits on every host of such a device.
constexpr std::string_view kBesideDevice = "cpu-avx2";

bool IsDevicesClass(std::string_view compute_class) {
  return DeviceOfClass(compute_class) == DeviceKind::kCuda && compute_class.find('-') != std::string_view::npos;
}

// clang 14 does not know "f16c" below. The system saves its registers where it saves those of AVX2.
bool HasF16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

int DetectedLevel() {
  // These test the processor and, for wide registers, that the system saves them.
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && HasF16c();
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx512 && __builtin_cpu_supports("avx512bf16")) return 3;
  if (avx512) return 2;
  return avx2 ? 1 : 0;
}

struct InForce {
  absl::Mutex mutex;
  int level ABSL_GUARDED_BY(mutex) = DetectedLevel();
};

InForce& State() {
  static InForce state;
  return state;
}

}  // namespace

std::string DetectComputeClass() { return std::string(kClasses[static_cast<size_t>(DetectedLevel())]); }

absl::Status SetComputeClass(std::string_view compute_class) {
  const std::string_view of_processor = IsDevicesClass(compute_class) ? kBesideDevice : compute_class;
  const auto found = std::find(kClasses.begin(), kClasses.end(), of_processor);
  const int level = static_cast<int>(found - kClasses.begin());
  if (found == kClasses.end() || level > DetectedLevel()) {
    return ComputeClassUnavailableError(compute_class, DetectComputeClass());
  }
  // The detected class too is a bound: the processor may have more than it names.
  ABSL_RETURN_IF_ERROR(LimitOneDnn(of_processor));
  if (level < DetectedLevel()) {
    int64_t off = 0;
    if (level < 2) off |= HWY_AVX3 | HWY_AVX3_DL;
    if (level < 1) off |= HWY_AVX2;
    hwy::DisableTargets(off);
  }
  InForce& state = State();
  absl::MutexLock lock(&state.mutex);
  state.level = level;
  return absl::OkStatus();
}

std::string ComputeClass() {
  InForce& state = State();
  absl::MutexLock lock(&state.mutex);
  return std::string(kClasses[static_cast<size_t>(state.level)]);
}

bool HasBf16Gemm() {
  InForce& state = State();
  absl::MutexLock lock(&state.mutex);
  return state.level >= 3;
}

}  // namespace bitwright::worker
