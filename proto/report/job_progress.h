#pragma once

#include <string>

#include "absl/time/time.h"
#include "bitwright/v1/jobs.pb.h"

// How far a job is, the same in bars, lines, `job show` and `job list`. Pure.
namespace bitwright {

// 0 … 100 in whole percent, rounded down; 100 for a job that SUCCEEDED and no other.
int PercentDone(const v1::Job& job);

// From the start to the end, or to `now`: "12 s"; empty: it has not started.
std::string ElapsedText(const v1::Job& job, absl::Time now);

// "about 20 s left"; empty: nobody knows.
std::string RemainingText(const v1::Job& job);

// "43 %, 12 s, about 20 s left"
std::string ProgressText(const v1::Job& job, absl::Time now);

// "no worker is registered; start one with … [NO_WORKER]"; empty: it waits for nothing.
std::string WaitingText(const v1::Notice& waiting);

}  // namespace bitwright
