#include "client/cli/sample_text.h"

#include "client/api/client_errors.h"

namespace bitwright::client {

absl::StatusOr<std::shared_ptr<const MemoryFile>> MakeSampleText() {
  return MemoryFile::Make(SampleTextBytes(), FileUnwritableError);
}

}  // namespace bitwright::client
