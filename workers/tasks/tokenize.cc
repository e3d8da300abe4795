#include <algorithm>
#include <cstdio>
#include <span>

#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "proto/contract/limits.h"
#include "proto/contract/notices.h"
#include "proto/contract/task_names.h"
#include "workers/tasks/data_ids.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/task_errors.h"
#include "workers/tokenizer/sketch.h"

namespace bitwright::worker {
namespace {

// Below this a byte-level tokenizer spells characters out in bytes: its vocabulary does not cover the script.
// Tokenizers have 3 to 5 bytes per token for text that they were made from, and about 2.5 for code.
constexpr double kLeastBytesPerToken = 1.6;
constexpr int64_t kLeastTokensToJudge = 64;
constexpr int64_t kLeastHeldOutStep = 9;  // one window of so many is held out at most

void NoticeCoverage(const DataFacts& data, int64_t tokens, v1::TokenizeSummary& summary) {
  const double bytes_per_token = static_cast<double>(data.bytes) / static_cast<double>(std::max<int64_t>(tokens, 1));
  if (data.bytes == 0 || tokens < kLeastTokensToJudge || bytes_per_token >= kLeastBytesPerToken) return;
  char number[32];
  std::snprintf(number, sizeof(number), "%.2f", bytes_per_token);
  *summary.add_notices() =
      MakeNotice("TEXT_NOT_COVERED",
                 std::string("the text has ") + number +
                     " bytes per token: the tokenizer's vocabulary hardly covers its script or content, so that the "
                     "result says little about the model's own use");
}

// The windows of a text: which are held out, and which are used.
struct Windows {
  std::vector<int32_t> used, held_out;
};

// So many are used or held out, where the text has as many.
int64_t WantedWindows(const v1::TokenizeParams& params) {
  const int64_t wanted = params.max_tokens() / params.window();
  return wanted + std::min<int64_t>(params.held_out(), wanted / (kLeastHeldOutStep - 1));
}

// Every k-th of the first windows is held out, as TokenizeParams::held_out has it.
Windows Split(const std::vector<int32_t>& ids, const v1::TokenizeParams& params) {
  const int64_t window = params.window();
  const int64_t all = std::min(WantedWindows(params), static_cast<int64_t>(ids.size()) / window);
  const int64_t most = std::max<int64_t>(params.held_out(), 1);
  const int64_t step = std::max(kLeastHeldOutStep, (all + most - 1) / most);
  Windows windows;
  for (int64_t w = 0; w < all; ++w) {
    const bool held_out = params.held_out() > 0 && w % step == step - 1;
    std::vector<int32_t>& to = held_out ? windows.held_out : windows.used;
    to.insert(to.end(), ids.begin() + w * window, ids.begin() + (w + 1) * window);
  }
  return windows;
}

absl::Status WriteIds(const char* name, const std::vector<int32_t>& ids, TaskIo& io) {
  return io.WriteBytes(name, ids.data(), ids.size() * sizeof(int32_t));
}

// Looks at all ids and keeps the first ones.
class IdReader {
 public:
  IdReader(int64_t vocab, int64_t kept) : vocab_(vocab), most_(static_cast<size_t>(kept)) {}

  // TOKEN_ID_OUT_OF_RANGE.
  absl::Status Add(std::span<const int32_t> ids) {
    ABSL_RETURN_IF_ERROR(CheckIds(ids, vocab_, count_));
    hash_.Update(ids.data(), ids.size_bytes());
    count_ += static_cast<int64_t>(ids.size());
    const size_t more = std::min(ids.size(), most_ - first_.size());
    first_.insert(first_.end(), ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(more));
    return absl::OkStatus();
  }

  int64_t count() const { return count_; }
  const std::vector<int32_t>& first() const { return first_; }
  std::string sha256() { return hash_.Finish(); }  // call once

 private:
  const int64_t vocab_;
  const size_t most_;
  int64_t count_ = 0;
  std::vector<int32_t> first_;
  Sha256 hash_;
};

}  // namespace

absl::Status RunTokenize(const v1::TokenizeParams& params, TaskIo& io) {
  IdReader reader(params.vocab_size(), WantedWindows(params) * params.window());
  ABSL_ASSIGN_OR_RETURN(const DataFacts data,
                        ReadData(params, io, [&](std::span<const int32_t> ids) { return reader.Add(ids); }));
  v1::TokenizeSummary summary;
  summary.set_window(params.window());
  summary.set_tokens_in_file(reader.count());
  summary.set_sha256_of_all_ids(reader.sha256());
  summary.set_documents(data.documents);
  summary.set_bytes(data.bytes);
  NoticeCoverage(data, reader.count(), summary);
  const Windows windows = Split(reader.first(), params);
  const size_t window = static_cast<size_t>(params.window());
  summary.set_windows(static_cast<int32_t>(windows.used.size() / window));
  summary.set_held_out_windows(static_cast<int32_t>(windows.held_out.size() / window));
  const auto sketch = SketchOf(windows.used, limits::kSketchRun, limits::kSketchSize);
  summary.mutable_sketch()->Add(sketch.begin(), sketch.end());
  ABSL_RETURN_IF_ERROR(WriteIds(TaskFile::kIds, windows.used, io));
  if (!windows.held_out.empty()) ABSL_RETURN_IF_ERROR(WriteIds(TaskFile::kHeldOut, windows.held_out, io));
  return io.WriteProto(TaskFile::kSummary, summary);
}

}  // namespace bitwright::worker
