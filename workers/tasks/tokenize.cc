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

// A text of the task, and how much of it is used.
struct Text {
  DataText data;
  std::string name;  // for people
  int64_t max_tokens = 0;
  int64_t held_out = 0;
};

std::vector<Text> TextsOf(const v1::TokenizeParams& params) {
  const int window = params.window(), count = 1 + params.further_size();
  const auto name = [&](int t) {
    return count == 1 ? "the text" : "text " + std::to_string(t + 1) + " of " + std::to_string(count);
  };
  std::vector<Text> texts = {{{TaskFile::kData, params.kind(), window, params.add_special_tokens()},
                              name(0),
                              params.max_tokens(),
                              params.held_out()}};
  for (int t = 1; t < count; ++t) {
    const auto& text = params.further(t - 1);
    texts.push_back({{Numbered(TaskFile::kData, t - 1), text.kind(), window, text.add_special_tokens()},
                     name(t),
                     text.max_tokens(),
                     text.held_out()});
  }
  return texts;
}

void NoticeCoverage(const Text& text, const DataFacts& data, int64_t tokens, v1::TokenizeSummary& summary) {
  const double bytes_per_token = static_cast<double>(data.bytes) / static_cast<double>(std::max<int64_t>(tokens, 1));
  if (data.bytes == 0 || tokens < kLeastTokensToJudge || bytes_per_token >= kLeastBytesPerToken) return;
  char number[32];
  std::snprintf(number, sizeof(number), "%.2f", bytes_per_token);
  *summary.add_notices() =
      MakeNotice("TEXT_NOT_COVERED",
                 text.name + " has " + number +
                     " bytes per token: the tokenizer's vocabulary hardly covers its script or content, so that the "
                     "result says little about the model's own use");
}

// The windows of a text: which are held out, and which are used.
struct Windows {
  std::vector<int32_t> used, held_out;
};

// So many are used or held out, where the text has as many.
int64_t WantedWindows(const Text& text) {
  const int64_t wanted = text.max_tokens / text.data.window;
  return wanted + std::min<int64_t>(text.held_out, wanted / (kLeastHeldOutStep - 1));
}

// Adds those of a text. Every k-th of its first windows is held out, as TokenizeParams::held_out has it.
void Split(const std::vector<int32_t>& ids, const Text& text, Windows& windows) {
  const int64_t window = text.data.window;
  const int64_t all = std::min(WantedWindows(text), static_cast<int64_t>(ids.size()) / window);
  const int64_t most = std::max<int64_t>(text.held_out, 1);
  const int64_t step = std::max(kLeastHeldOutStep, (all + most - 1) / most);
  for (int64_t w = 0; w < all; ++w) {
    const bool held_out = text.held_out > 0 && w % step == step - 1;
    std::vector<int32_t>& to = held_out ? windows.held_out : windows.used;
    to.insert(to.end(), ids.begin() + w * window, ids.begin() + (w + 1) * window);
  }
}

absl::Status WriteIds(const char* name, const std::vector<int32_t>& ids, TaskIo& io) {
  return io.WriteBytes(name, ids.data(), ids.size() * sizeof(int32_t));
}

// Looks at all ids and keeps the first ones.
class IdReader {
 public:
  // `hash` goes on from what it has seen.
  IdReader(int64_t vocab, int64_t kept, Sha256& hash) : vocab_(vocab), most_(static_cast<size_t>(kept)), hash_(hash) {}

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

 private:
  const int64_t vocab_;
  const size_t most_;
  int64_t count_ = 0;
  std::vector<int32_t> first_;
  Sha256& hash_;
};

// Adds the windows of one text, and to the summary what they are.
absl::Status AddText(const Text& text, int64_t vocab, TaskIo& io, Sha256& hash, Windows& windows,
                     v1::TokenizeSummary& summary) {
  const int64_t window = text.data.window;
  const auto used = [&] { return static_cast<int32_t>(static_cast<int64_t>(windows.used.size()) / window); };
  const auto held_out = [&] { return static_cast<int32_t>(static_cast<int64_t>(windows.held_out.size()) / window); };
  const int32_t used_before = used(), held_out_before = held_out();
  IdReader reader(vocab, WantedWindows(text) * window, hash);
  ABSL_ASSIGN_OR_RETURN(const DataFacts data,
                        ReadData(text.data, io, [&](std::span<const int32_t> ids) { return reader.Add(ids); }));
  Split(reader.first(), text, windows);
  NoticeCoverage(text, data, reader.count(), summary);
  summary.set_tokens_in_file(summary.tokens_in_file() + reader.count());
  summary.set_documents(summary.documents() + data.documents);
  summary.set_bytes(summary.bytes() + data.bytes);
  summary.set_windows(used());
  summary.set_held_out_windows(held_out());
  auto& own = *summary.add_texts();
  own.set_windows(used() - used_before);
  own.set_held_out_windows(held_out() - held_out_before);
  own.set_tokens_in_file(reader.count());
  return absl::OkStatus();
}

}  // namespace

absl::Status RunTokenize(const v1::TokenizeParams& params, TaskIo& io) {
  v1::TokenizeSummary summary;
  summary.set_window(params.window());
  Windows windows;
  Sha256 hash;
  for (const Text& text : TextsOf(params)) {
    ABSL_RETURN_IF_ERROR(AddText(text, params.vocab_size(), io, hash, windows, summary));
  }
  if (summary.texts_size() == 1) summary.clear_texts();
  summary.set_sha256_of_all_ids(hash.Finish());
  const auto sketch = SketchOf(windows.used, limits::kSketchRun, limits::kSketchSize);
  summary.mutable_sketch()->Add(sketch.begin(), sketch.end());
  ABSL_RETURN_IF_ERROR(WriteIds(TaskFile::kIds, windows.used, io));
  if (!windows.held_out.empty()) ABSL_RETURN_IF_ERROR(WriteIds(TaskFile::kHeldOut, windows.held_out, io));
  return io.WriteProto(TaskFile::kSummary, summary);
}

}  // namespace bitwright::worker
