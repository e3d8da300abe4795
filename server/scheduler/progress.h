#pragma once

#include "server/scheduler/core.h"

namespace bitwright::server {

// Does everything that follows from the owner's finished tasks: reads facts, expands, makes tasks ready, ends the
// owner. The owner may be gone afterwards. When the store or the disk refuses, it stays, stuck, until a later call.
void Advance(Core& core, Owner& owner);

}  // namespace bitwright::server
