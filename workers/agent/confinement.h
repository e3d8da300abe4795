#pragma once

#include <cstdint>

namespace bitwright::worker {

// Gives up, for the whole process and for good, what no task needs: new programs and processes, sockets, tracing, other
// namespaces, signals to others, and what Landlock (landlock.h) leaves open: truncation by name, modes, owners, times
// and attributes of files. Such calls then fail with EPERM; threads stay allowed. Sets PR_SET_NO_NEW_PRIVS. False where
// the kernel or the build has no seccomp: the process then runs on without the filter.
//
// Of a process that computes on an NVIDIA card the driver asks for one thing more: a local socket of its own
// ("@cuda-uvmfd-…", https://github.com/snapcore/snapd/pull/6623), so that it may make and bind those of the family
// AF_UNIX and of type SOCK_SEQPACKET; nothing can be reached or accepted through them. What else it calls is open to
// all: ioctl on the devices that Landlock lets it open, memfd_create (https://github.com/NVIDIA/OpenShell/issues/1696),
// threads.
enum class Confined { kProcessor, kCuda };
bool Confine(Confined to = Confined::kProcessor);

// Bounds private writable memory (RLIMIT_DATA; mapped files do not count). 0: no bound. Does nothing under a sanitizer,
// whose shadow memory counts and is larger than any machine.
void LimitMemory(int64_t bytes);

// Has large freed memory go back to the system at once. glibc would learn from what is freed to keep up to 64 MiB for
// each thread, which would then be more than a task is said to take.
void GiveFreedMemoryBack();

}  // namespace bitwright::worker
