#pragma once

#include <string>
#include <vector>

namespace bitwright {

// Starts a program with standard input from /dev/null, output and errors shared with this process, no other open file,
// and the default signal mask. It gets SIGKILL when the calling *thread* ends: call from a thread that stays. Returns
// the process id, or −1 with errno.
int StartChild(const std::string& binary, const std::vector<std::string>& arguments);

}  // namespace bitwright
