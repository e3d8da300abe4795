#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

// Places where a test makes the program crash, stall or fail: what no test can bring about from outside at the right
// moment. Off in normal runs, at the cost of one relaxed load. The names are listed, with what each proves, in the
// README of tests/e2e/chaos.
//
// State of the process, as the log is: a point is reached far below what main() wires. Thread-safe but for Arm.
namespace bitwright {

class Failpoints {
 public:
  // Arms what the text names, disarms all else; empty: nothing. Once, before there are threads (tests: as often as they
  // like, alone). INVALID_ARGUMENT, reason FAILPOINTS_INVALID, names the entry.
  //
  //   ENTRY;ENTRY…    ENTRY = NAME=ACTION[@WHEN]
  //   ACTION = crash             the process ends as by kill -9
  //            stop              it halts as by SIGSTOP, until someone sends SIGCONT
  //            delay=MILLISECONDS
  //            error=EIO or error=ENOSPC, which the place returns as its own failure; no effect at a place that has
  //            none
  //   WHEN   = N                 only the Nth time, from 1; without WHEN every time
  //            P,SEED            with this probability (0 … 1, written with a point), drawn from the seed
  //
  // `salt` is mixed into every seed: a process that follows one that crashed should not crash at the same place again.
  static absl::Status Arm(std::string_view schedule, uint64_t salt = 0);

  // What was armed, for the command line of a process that this one starts.
  static std::string Schedule();

  static bool armed() { return armed_.load(std::memory_order_relaxed); }
  // The action of this point, if it is its turn. An errno, or 0.
  static int Reach(std::string_view name);

 private:
  static std::atomic<bool> armed_;
};

// The point itself: its name is a literal and stands once in the sources. The errno to fail with, or 0.
inline int Failpoint(std::string_view name) { return Failpoints::armed() ? Failpoints::Reach(name) : 0; }

}  // namespace bitwright
