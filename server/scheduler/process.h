#pragma once

namespace bitwright {

// Whether no process of this machine has the id, or one that has ended and waits to be reaped. The processes that a
// killed server leaves belong to the machine's first process, which may take seconds for that.
bool ProcessIsGone(int process_id);

}  // namespace bitwright
