#include "client/cli/data_file.h"

#include <filesystem>

#include "client/api/client_errors.h"
#include "client/api/display_name.h"
#include "client/cli/cli_errors.h"
#include "proto/base/status_macros.h"
#include "proto/inputs/data_kind.h"
#include "proto/transfer/local_file.h"

namespace bitwright::client {
namespace {

// A token covers a byte or more, but for the few that a tokenizer puts around a text; a line of ids has a digit and a
// separator for each. Whatever may fill one window passes: the service knows the tokenizer.
constexpr int kSpareTokens = 8;

}  // namespace

absl::Status CheckDataFile(const DataFile& file, const std::string& kind, int window, v1::Data* data) {
  ABSL_ASSIGN_OR_RETURN(const LocalFile opened, LocalFile::Open(file.path, kFileErrors));
  ABSL_ASSIGN_OR_RETURN(const std::string head, opened.Head(kDataHeadBytes));
  const std::string name = std::filesystem::path(file.typed).filename().string();
  if (kind.empty()) {
    ABSL_ASSIGN_OR_RETURN(const v1::Data::Kind recognized, RecognizeData(name, head));
    data->set_kind(recognized);
  } else {
    data->set_kind(ParseDataKind(kind));
  }
  if (opened.size_bytes() == 0 || opened.size_bytes() + kSpareTokens < window) {
    return DataTooShortError(file.typed, opened.size_bytes(), window);
  }
  data->set_display_name(FitDisplayName(file.name.empty() ? name : file.name));
  return absl::OkStatus();
}

}  // namespace bitwright::client
