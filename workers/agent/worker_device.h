#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "workers/agent/card_lock.h"
#include "workers/agent/device_choice.h"
#include "workers/agent/worker_program.h"

namespace bitwright::worker {

// The agent's side: the card that this worker takes, with the libraries that compute on it loaded and the card kept
// from others by `lock`; nothing: the processor. Where --compute-class names a class of processors, "auto" is the
// processor, and so it is, with a warning, where the libraries are missing. UNAVAILABLE, reason DEVICE_UNAVAILABLE.
absl::StatusOr<std::optional<CudaCard>> TakeCard(const DeviceChoice& choice, const std::string& wanted_class,
                                                 const CardProgram& program, CardLock& lock);

// The class that a worker announces: the card's, or the processor's, which --compute-class may narrow.
// INVALID_ARGUMENT, reason COMPUTE_CLASS_UNAVAILABLE: `wanted` is of another device, or another card's.
absl::StatusOr<std::string> ClassOf(const std::string& wanted, const std::optional<CudaCard>& card,
                                    const std::string& of_processor);

// The child's side: lets this process see the card alone, and loads the libraries. Call it before threads and the
// sandbox are there. UNAVAILABLE, reason DEVICE_UNAVAILABLE.
absl::Status PrepareCard(int ordinal, const CardProgram& program);

// Makes devices on that card. UNAVAILABLE, reason DEVICE_UNAVAILABLE: it is not there, or of another class.
MakeDeviceFunction DeviceMaker(int ordinal, const std::string& compute_class, const CardProgram& program);

}  // namespace bitwright::worker
