#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/inputs/sample_name.h"
#include "proto/transfer/memory_file.h"

namespace bitwright::client {

// deploy/sample/mixed.txt: prose, dialogue, code, lists and several languages, compiled in.
std::string_view SampleTextBytes();

// The text as a file. FILE_UNWRITABLE.
absl::StatusOr<std::shared_ptr<const MemoryFile>> MakeSampleText();

}  // namespace bitwright::client
