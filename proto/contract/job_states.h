#pragma once

#include "bitwright/v1/jobs.pb.h"

namespace bitwright {

// It changes no more.
inline bool IsTerminal(v1::Job::State state) {
  return state == v1::Job::SUCCEEDED || state == v1::Job::FAILED || state == v1::Job::CANCELLED;
}

}  // namespace bitwright
