#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bitwright {

// Bytes of memory that the processes of this machine can have together: physical memory, or what this process's control
// groups are limited to where that is less.
int64_t MachineMemoryBytes();

// The least limit of the control groups that this process is in, up to the root of what it sees; of version 2
// (memory.max) and version 1 (memory.limit_in_bytes). Nothing when none is limited. `root` is empty but in tests.
std::optional<int64_t> GroupMemoryLimit(const std::string& root);

}  // namespace bitwright
