#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/kernels/cuda/cuda_device.h"

namespace bitwright::worker {

// What the option --device says: "cpu", "cuda" (any card), "cuda:N" (the N-th as CUDA counts them here) or "auto".
struct DeviceChoice {
  enum class Kind { kAuto, kCpu, kCuda };
  Kind kind = Kind::kAuto;
  std::optional<int> ordinal;

  friend bool operator==(const DeviceChoice&, const DeviceChoice&) = default;
};

// Nothing: it says none of these.
std::optional<DeviceChoice> ParseDevice(const std::string& text);

// The card that a worker computes on; nothing: the processor. A card belongs to one worker: `take` says whether nobody
// else has it, and keeps it from others. "auto" is the first card that is free and may be used, else the processor;
// "cuda" the first that is free; "cuda:N" that one. UNAVAILABLE, reason DEVICE_UNAVAILABLE.
absl::StatusOr<std::optional<CudaCard>> ChooseCard(const DeviceChoice& choice, const std::vector<CudaCard>& cards,
                                                   const std::function<bool(const CudaCard& card)>& take);

// The value of CUDA_VISIBLE_DEVICES under which a process sees the card of that number alone, where this one is under
// `visible` (empty: it sees all): its own entry of the list.
std::string VisibleAlone(const std::string& visible, int ordinal);

// What a process that computes on the card is started with besides: the same order and list of cards as here, and where
// its libraries are ("NAME=value" each). CUDA keeps no compiled code in the user's home.
std::vector<std::string> CudaEnvironment();

}  // namespace bitwright::worker
