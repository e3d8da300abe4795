#pragma once

#include <string>

#include "absl/status/status.h"
#include "bitwright/v1/jobs.pb.h"

namespace bitwright::client {

// A text or a list of token ids, as given.
struct DataFile {
  std::string path;
  std::string typed;  // what messages call it
  std::string name;   // for the report; empty: that of the file
};

// Sets kind and display name of `data` from the first bytes of the file, or the kind from `kind` ("text", "documents",
// "ids"; empty: recognized). FILE_UNREADABLE; DATA_TOO_SHORT: it cannot fill one window; the errors of RecognizeData.
absl::Status CheckDataFile(const DataFile& file, const std::string& kind, int window, v1::Data* data);

}  // namespace bitwright::client
