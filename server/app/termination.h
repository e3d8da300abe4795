#pragma once

namespace bitwright::server {

// Blocks SIGTERM and SIGINT in this thread and those it starts: call before any other thread is there.
void BlockTerminationSignals();

// Returns when one of them comes or when the parent of this process is no longer `parent` (0: whoever it is).
void WaitForTermination(int parent);

}  // namespace bitwright::server
