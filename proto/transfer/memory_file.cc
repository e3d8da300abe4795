#include "proto/transfer/memory_file.h"

#include <sys/mman.h>

#include <cerrno>

namespace bitwright {

absl::StatusOr<std::shared_ptr<const MemoryFile>> MemoryFile::Make(std::string_view bytes,
                                                                   FileErrorFunction* unwritable) {
  OwnedFd fd(::memfd_create("bytes", MFD_CLOEXEC));
  if (fd.get() < 0 || WriteAll(fd.get(), bytes) != 0) return unwritable("(in memory)", errno);
  return std::shared_ptr<const MemoryFile>(new MemoryFile(std::move(fd)));
}

}  // namespace bitwright
