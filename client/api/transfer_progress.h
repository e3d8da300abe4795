#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace bitwright::client {

// How far an upload or a download is.
struct TransferProgress {
  enum class Phase { kHash, kUpload, kInspect, kDownload };
  Phase phase = Phase::kHash;
  int files = 0;
  int64_t done_bytes = 0;
  int64_t total_bytes = 0;  // of this phase: kUpload counts only what the server lacked
  std::string waiting;      // kInspect: what it waits for, a sentence; empty: it runs
};
using OnTransfer = std::function<void(const TransferProgress&)>;

}  // namespace bitwright::client
