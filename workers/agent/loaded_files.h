#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright::worker {

// A shared library that this process has mapped.
struct LoadedLibrary {
  std::string path;    // where it was loaded from
  std::string name;    // the file's own name, the same on every machine
  std::string sha256;  // of its code and constants as they are mapped; empty where nobody asked

  friend bool operator==(const LoadedLibrary&, const LoadedLibrary&) = default;
};

// Paths of the shared libraries that are loaded now, without the kernel's own; of all, or of those that take part in
// what a task computes.
std::vector<std::string> LoadedLibraryPaths();
std::vector<std::string> ComputingLibraryPaths();

// The libraries that take part in what a task computes, hashed: all but those of the network, of sandboxes and of
// encryption. What is hashed are the segments that nobody writes to (code, constants, the linker's build id), in
// memory: a file that was replaced since does not count. Costs 0.13 s for the 80 MB of Debian 12, so call it once in a
// process; cuBLAS and cuSOLVER are ten times as large. `except`: paths of those that do not count.
std::vector<LoadedLibrary> ComputingLibraries(const std::vector<std::string>& except = {});

// Whether a library of this name takes part: "libdnnl.so.2" does, "libssl.so.3" does not.
bool TakesPart(const std::string& library_name);

// Tells whether files of loaded libraries are still those that were there when it was made: children load them
// anew, and must not compute with other ones than this process has announced. Thread-safe.
class LibraryWatch {
 public:
  explicit LibraryWatch(std::vector<std::string> paths);
  // FAILED_PRECONDITION, reason LIBRARY_REPLACED, naming the first that is another file now. Some microseconds a file.
  absl::Status Check() const;

 private:
  struct Seen {
    std::string path;
    std::string identity;  // device, inode, size, time of the last change
  };
  std::vector<Seen> seen_;
};

}  // namespace bitwright::worker
