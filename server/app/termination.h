#pragma once

namespace bitwright {

// Blocks SIGTERM and SIGINT in this thread and those it starts: call before any other thread is there.
void BlockTerminationSignals();

// Returns when one of them comes or, if asked for, when the process that started this one has ended.
void WaitForTermination(bool exit_with_parent);

}  // namespace bitwright
