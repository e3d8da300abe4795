#pragma once

#include "server/scheduler/core.h"

namespace bitwright::server {

// Gives tasks to the workers that wait, as long as one fits; ends those that the action cache knows on the way.
void ServeWaiting(Core& core);

}  // namespace bitwright::server
