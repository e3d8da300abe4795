#include "client/cli/sample_text.h"

#include <sys/mman.h>

#include <cerrno>

#include "client/api/client_errors.h"
#include "proto/base/files.h"

namespace bitwright::client {

absl::StatusOr<std::shared_ptr<const SampleText>> SampleText::Make() {
  OwnedFd fd(::memfd_create("sample", MFD_CLOEXEC));
  if (fd.get() < 0 || WriteAll(fd.get(), SampleTextBytes()) != 0) return FileUnwritableError("sample text", errno);
  return std::shared_ptr<const SampleText>(new SampleText(std::move(fd)));
}

}  // namespace bitwright::client
