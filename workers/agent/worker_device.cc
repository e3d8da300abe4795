#include "workers/agent/worker_device.h"

#include <cstdlib>
#include <vector>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/compute_class.h"
#include "proto/contract/devices.h"
#include "workers/kernels/device.h"
#include "workers/kernels/kernels_errors.h"

namespace bitwright::worker {
namespace {

constexpr char kVisible[] = "CUDA_VISIBLE_DEVICES";

std::vector<CudaCard> CardsOf(const CardProgram& program) {
  return program.cards ? program.cards() : std::vector<CudaCard>();
}

}  // namespace

absl::StatusOr<std::optional<CudaCard>> TakeCard(const DeviceChoice& choice, const std::string& wanted_class,
                                                 const CardProgram& program, CardLock& lock) {
  const bool automatic = choice.kind == DeviceChoice::Kind::kAuto;
  const bool wants_processor = automatic && !wanted_class.empty() && DeviceOfClass(wanted_class) == DeviceKind::kCpu;
  if (choice.kind == DeviceChoice::Kind::kCpu || wants_processor) return std::optional<CudaCard>();
  std::vector<CudaCard> cards = CardsOf(program);
  if (!cards.empty()) {
    const absl::Status loaded = program.load_libraries();
    if (!loaded.ok() && !automatic) return loaded;
    if (!loaded.ok()) {
      LOG(WARNING) << "this worker computes on the processor: " << loaded.message();
      cards.clear();
    }
  }
  return ChooseCard(choice, cards, [&](const CudaCard& card) { return lock.Take(card.id); });
}

absl::StatusOr<std::string> ClassOf(const std::string& wanted, const std::optional<CudaCard>& card,
                                    const std::string& of_processor) {
  const std::string& own = card ? card->compute_class : of_processor;
  if (wanted.empty()) return own;
  const bool possible = card ? wanted == own : DeviceOfClass(wanted) == DeviceKind::kCpu;
  if (!possible) return ComputeClassUnavailableError(wanted, own);
  return wanted;
}

absl::Status PrepareCard(int ordinal, const CardProgram& program) {
  const char* visible = std::getenv(kVisible);
  const std::string alone = VisibleAlone(visible == nullptr ? "" : visible, ordinal);
  if (::setenv(kVisible, alone.c_str(), 1) != 0 || !program.load_libraries) {
    return DeviceUnavailableError(CudaName(ordinal), "this program has no CUDA");
  }
  return program.load_libraries();
}

MakeDeviceFunction DeviceMaker(int ordinal, const std::string& compute_class, const CardProgram& program) {
  return [=](ThreadPool& pool) -> absl::StatusOr<std::unique_ptr<Device>> {
    const std::string name = CudaName(ordinal);
    const std::vector<CudaCard> cards = program.cards();
    if (cards.empty()) return DeviceUnavailableError(name, "the driver shows no card to this process");
    // It sees no other.
    if (cards.front().compute_class != compute_class) {
      return DeviceUnavailableError(name, "it is of class " + cards.front().compute_class + ", not " + compute_class);
    }
    return program.make_device(cards.front().ordinal, pool);
  };
}

}  // namespace bitwright::worker
