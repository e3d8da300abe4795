#include "workers/agent/compute_class.h"

#include <cpuid.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "workers/agent/agent_errors.h"

namespace bitwright {
namespace {

constexpr std::array<std::string_view, 4> kClasses = {"cpu-x86-64-v2", "cpu-avx2", "cpu-avx512", "cpu-avx512-bf16"};

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers CpuId(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  if (__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d) == 0) return {};
  return r;
}

bool Bit(uint32_t word, int bit) { return ((word >> bit) & 1) != 0; }

// Which register files the operating system saves. Needs OSXSAVE.
uint64_t EnabledState() {
  uint32_t low = 0;
  uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

}  // namespace

// Bit numbers: Intel's Software Developer's Manual, volume 2, CPUID; volume 1, 13.3 for XCR0.
std::string DetectComputeClass() {
  const Registers basic = CpuId(1, 0);
  const bool osxsave = Bit(basic.c, 27);
  const uint64_t state = osxsave ? EnabledState() : 0;
  const Registers extended = CpuId(7, 0);
  const bool ymm = (state & 0x06) == 0x06;
  const bool zmm = (state & 0xe6) == 0xe6;
  const bool avx2 = ymm && Bit(basic.c, 12) && Bit(basic.c, 29) && Bit(extended.b, 5);
  const bool avx512 =
      avx2 && zmm && Bit(extended.b, 16) && Bit(extended.b, 17) && Bit(extended.b, 30) && Bit(extended.b, 31);
  const bool bf16 = avx512 && extended.a >= 1 && Bit(CpuId(7, 1).a, 5);
  return std::string(kClasses[bf16 ? 3 : avx512 ? 2 : avx2 ? 1 : 0]);
}

absl::StatusOr<std::string> ChooseComputeClass(std::string_view detected, std::string_view requested) {
  if (requested.empty()) return std::string(detected);
  const auto wanted = std::find(kClasses.begin(), kClasses.end(), requested);
  if (wanted == kClasses.end()) return ComputeClassUnknown(requested);
  if (wanted > std::find(kClasses.begin(), kClasses.end(), detected)) {
    return ComputeClassUnavailable(requested, detected);
  }
  return std::string(requested);
}

}  // namespace bitwright
