#include <cstring>
#include <memory>

#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "proto/contract/task_names.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/task_errors.h"
#include "workers/tokenizer/ids_lines.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<std::vector<int32_t>> TokenizeText(const v1::TokenizeParams& params, std::string_view text, TaskIo& io) {
  if (text.empty()) return DataInvalidError("is empty; give text to calibrate and evaluate on");
  ABSL_ASSIGN_OR_RETURN(const auto json, io.Input(ModelFileName("tokenizer.json")));
  ABSL_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::Load(json->text()));
  return tokenizer->Encode(text, params.add_special_tokens());
}

absl::Status CheckIds(const std::vector<int32_t>& ids, int64_t vocab) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= vocab) return TokenIdOutOfRangeError(static_cast<int64_t>(i), ids[i], vocab);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunTokenize(const v1::TokenizeParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const auto data, io.Input(TaskFile::kData));
  std::vector<int32_t> ids;
  if (params.kind() == v1::Data::TOKEN_IDS_JSONL) {
    ABSL_ASSIGN_OR_RETURN(ids, ParseIdLines(data->text(), params.window()));
  } else {
    ABSL_ASSIGN_OR_RETURN(ids, TokenizeText(params, data->text(), io));
  }
  ABSL_RETURN_IF_ERROR(CheckIds(ids, params.vocab_size()));
  v1::TokenizeSummary summary;
  summary.set_window(params.window());
  summary.set_tokens_in_file(static_cast<int64_t>(ids.size()));
  summary.set_sha256_of_all_ids(Sha256Hex({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int32_t)}));
  const int64_t wanted = std::min<int64_t>(params.max_tokens(), static_cast<int64_t>(ids.size()));
  summary.set_windows(static_cast<int32_t>(wanted / params.window()));
  const size_t kept = static_cast<size_t>(summary.windows()) * static_cast<size_t>(params.window());
  ABSL_RETURN_IF_ERROR(io.WriteBytes(TaskFile::kIds, ids.data(), kept * sizeof(int32_t)));
  return io.WriteProto(TaskFile::kSummary, summary);
}

}  // namespace bitwright::worker
