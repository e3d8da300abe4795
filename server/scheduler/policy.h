#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/scheduler/executor.h"

namespace bitwright::server {

// The worker that asks.
struct AskingWorker {
  std::string name;
  std::string compute_class;
  std::string code_version;
  int64_t memory_bytes = 0;         // free for the next task
  int64_t device_memory_bytes = 0;  // of its device; 0: that has none of its own
  int threads = 1;                  // of a task
  bool small_only = false;          // it asks for a small task, and takes no other
  bool small_lane = false;          // small tasks have memory of their own
  // What the largest other open worker of the same kind has, where a task waits that failed on this one. Nothing: there
  // is no other.
  std::optional<Room> peer;

  Room room() const { return {memory_bytes, device_memory_bytes, threads, small_lane}; }
};

// The kind of place that a job's tasks are made for from now on: of those that may run a task of these needs, an open
// one before a closed one; for a numeric task one with a graphics processor before one without, even where it is busy
// (until it is free takes less time than the task on a processor); one with free places before one without; then one of
// the program of `code` (what its earlier tasks were made for; may be empty), then the most cores, then the greater
// names, which are those of the newer instruction sets. Nothing: none may run it. Pure.
std::optional<Offer> ChooseOffer(const std::vector<Offer>& offers, const Requirements& needs, const std::string& code);

// Whether a place of this kind is there for the task, busy, closed or not. Pure.
bool AnyFits(const std::vector<Offer>& offers, const Requirements& needs);
// The same without those that are closed. Pure.
bool AnyOpenFits(const std::vector<Offer>& offers, const Requirements& needs);

// Pause before attempt `attempt` (2, 3 …) after a machinery fault: 1 s, 5 s, then 25 s.
absl::Duration RetryDelay(int attempt);

// Pause after a step that the store refused for the n-th time in a row: 0.1 s, doubled up to 30 s.
absl::Duration StorePause(int refusals);

}  // namespace bitwright::server
