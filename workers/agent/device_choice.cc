#include "workers/agent/device_choice.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "proto/contract/devices.h"
#include "workers/kernels/kernels_errors.h"

namespace bitwright::worker {
namespace {

std::string Described(const std::vector<CudaCard>& cards) {
  if (cards.empty()) return "this machine has no NVIDIA card, no driver for it, or this program no CUDA";
  return "there are " + absl::StrJoin(cards, ", ", [](std::string* text, const CudaCard& card) {
           *text += CudaName(card.ordinal) + " (" + card.name + ")";
         });
}

}  // namespace

std::optional<DeviceChoice> ParseDevice(const std::string& text) {
  if (text == "auto") return DeviceChoice{DeviceChoice::Kind::kAuto, {}};
  if (text == DeviceKind::kCpu) return DeviceChoice{DeviceChoice::Kind::kCpu, {}};
  if (text == DeviceKind::kCuda) return DeviceChoice{DeviceChoice::Kind::kCuda, {}};
  int ordinal = -1;
  if (!absl::SimpleAtoi(text.substr(text.find(':') + 1), &ordinal)) return std::nullopt;
  if (ordinal < 0 || text != CudaName(ordinal)) return std::nullopt;  // no sign, no zeros before it
  return DeviceChoice{DeviceChoice::Kind::kCuda, ordinal};
}

absl::StatusOr<std::optional<CudaCard>> ChooseCard(const DeviceChoice& choice, const std::vector<CudaCard>& cards,
                                                   const std::function<bool(const CudaCard& card)>& take) {
  if (choice.kind == DeviceChoice::Kind::kCpu) return std::optional<CudaCard>();
  if (choice.ordinal) {
    const auto card =
        std::find_if(cards.begin(), cards.end(), [&](const CudaCard& one) { return one.ordinal == *choice.ordinal; });
    const std::string name = CudaName(*choice.ordinal);
    if (card == cards.end()) return DeviceUnavailableError(name, "there is no such card; " + Described(cards));
    if (!take(*card)) return DeviceUnavailableError(name, "another worker of this machine has it; give each its own");
    return std::optional(*card);
  }
  for (const CudaCard& card : cards) {
    if (take(card)) return std::optional(card);
  }
  if (choice.kind == DeviceChoice::Kind::kAuto) return std::optional<CudaCard>();
  return DeviceUnavailableError(
      DeviceKind::kCuda,
      cards.empty() ? Described(cards) : "other workers of this machine have all cards; " + Described(cards));
}

std::string VisibleAlone(const std::string& visible, int ordinal) {
  if (visible.empty()) return std::to_string(ordinal);
  const std::vector<std::string> entries = absl::StrSplit(visible, ',');
  const auto index = static_cast<size_t>(ordinal);
  return index < entries.size() ? entries[index] : "";
}

std::vector<std::string> CudaEnvironment() {
  std::vector<std::string> environment = {"CUDA_CACHE_DISABLE=1"};
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "LD_LIBRARY_PATH"}) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  return environment;
}

}  // namespace bitwright::worker
