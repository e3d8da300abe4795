// What llama.cpp makes of a GGUF file: the likelihood of windows of token ids, and the ids of texts. llama_cpp.sh
// builds it.
//
// usage: llama_windows MODEL.gguf IDS.bin WINDOW [BASE.gguf]
//        llama_windows --tokenize MODEL.gguf TEXT...
//
// IDS.bin holds little-endian int32 in rows of WINDOW. Each row is a context of its own without a BOS added, and all of
// its tokens but the first are scored. One line of JSON says: the scored tokens; nll, the mean negative log likelihood
// in nats; perplexity; kl, the mean KL(BASE || MODEL) in nats (with BASE); and the bytes of the tensors of each type.
// With --tokenize, a line of JSON for each file TEXT holds its ids: nothing added, names of control tokens as mere
// text.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "ggml.h"
#include "gguf.h"
#include "llama.h"

namespace {

constexpr size_t kThreads = 2;

struct Free {
  void operator()(llama_model* model) const { llama_model_free(model); }
  void operator()(llama_context* context) const { llama_free(context); }
  void operator()(gguf_context* file) const { gguf_free(file); }
};
using Model = std::unique_ptr<llama_model, Free>;

// Only what went wrong: llama.cpp's reports of progress would drown it.
void Log(ggml_log_level level, const char* text, void*) {
  static bool shown = false;
  if (level != GGML_LOG_LEVEL_CONT) shown = level == GGML_LOG_LEVEL_WARN || level == GGML_LOG_LEVEL_ERROR;
  if (shown) std::fputs(text, stderr);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Model Load(const std::string& path, bool vocab_only) {
  llama_model_params params = llama_model_default_params();
  params.vocab_only = vocab_only;
  params.check_tensors = true;     // NaN and infinity in scales are an error
  params.use_extra_bufts = false;  // the file's own blocks, not repacked ones
  Model model(llama_model_load_from_file(path.c_str(), params));
  if (!model) throw std::runtime_error("llama.cpp does not load " + path);
  return model;
}

int VocabularyOf(const llama_model* model) { return llama_vocab_n_tokens(llama_model_get_vocab(model)); }

// log softmax in f64.
std::vector<double> LogProbabilities(const float* logits, int count) {
  const double most = *std::max_element(logits, logits + count);
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += std::exp(logits[i] - most);
  const double shift = most + std::log(sum);
  std::vector<double> result(count);
  for (int i = 0; i < count; ++i) result[i] = logits[i] - shift;
  return result;
}

// A model that evaluates one window at a time, on one thread.
class Evaluator {
 public:
  Evaluator(llama_model* model, int window) : vocabulary_(VocabularyOf(model)), window_(window) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = window;
    params.n_threads = params.n_threads_batch = 1;
    // As near to f32 arithmetic as llama.cpp goes; the rest is that it rounds activations to meet quantized weights.
    params.type_k = params.type_v = GGML_TYPE_F32;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    context_.reset(llama_init_from_model(model, params));
    if (!context_) throw std::runtime_error("llama.cpp makes no context of " + std::to_string(window) + " tokens");
  }

  // The logits after each token of a window, which has nothing before it; valid until the next call.
  const float* Logits(const int32_t* ids) {
    llama_memory_clear(llama_get_memory(context_.get()), true);
    llama_batch batch = llama_batch_init(window_, 0, 1);
    batch.n_tokens = window_;
    for (int i = 0; i < window_; ++i) {
      batch.token[i] = ids[i];
      batch.pos[i] = i;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = 1;
    }
    const int failed = llama_decode(context_.get(), batch);
    llama_batch_free(batch);
    if (failed != 0) throw std::runtime_error("llama_decode ended with " + std::to_string(failed));
    return llama_get_logits(context_.get());
  }

  std::vector<double> LogProbabilitiesAt(const float* logits, int position) const {
    return LogProbabilities(logits + static_cast<size_t>(position) * vocabulary_, vocabulary_);
  }

 private:
  int vocabulary_, window_;
  std::unique_ptr<llama_context, Free> context_;
};

// Sums over the scored tokens of one window.
struct Sums {
  double nll = 0, kl = 0;
};

Sums Score(const int32_t* ids, int window, Evaluator& model, Evaluator* base) {
  Sums sums;
  const float* logits = model.Logits(ids);
  const float* base_logits = base == nullptr ? nullptr : base->Logits(ids);
  for (int i = 0; i + 1 < window; ++i) {
    const std::vector<double> log_p = model.LogProbabilitiesAt(logits, i);
    sums.nll -= log_p[ids[i + 1]];
    if (base == nullptr) continue;
    const std::vector<double> log_base = base->LogProbabilitiesAt(base_logits, i);
    for (size_t v = 0; v < log_p.size(); ++v) sums.kl += std::exp(log_base[v]) * (log_base[v] - log_p[v]);
  }
  return sums;
}

std::vector<int32_t> ReadIds(const std::string& path, int window, int vocabulary) {
  const std::string bytes = ReadFile(path);
  if (window < 2 || bytes.empty() || bytes.size() % (4 * static_cast<size_t>(window)) != 0) {
    throw std::runtime_error(path + " holds no whole rows of " + std::to_string(window) + " ids");
  }
  std::vector<int32_t> ids(bytes.size() / 4);
  for (size_t i = 0; i < ids.size(); ++i) {
    uint32_t id = 0;
    for (size_t b = 0; b < 4; ++b) id |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[4 * i + b])) << (8 * b);
    if (id >= static_cast<uint32_t>(vocabulary)) throw std::runtime_error("no token has the id " + std::to_string(id));
    ids[i] = static_cast<int32_t>(id);
  }
  return ids;
}

std::map<std::string, size_t> BytesOfTypes(const std::string& path) {
  const std::unique_ptr<gguf_context, Free> file(gguf_init_from_file(path.c_str(), {/*no_alloc=*/true, nullptr}));
  if (!file) throw std::runtime_error("no GGUF file: " + path);
  std::map<std::string, size_t> bytes;
  for (int64_t i = 0; i < gguf_get_n_tensors(file.get()); ++i) {
    bytes[ggml_type_name(gguf_get_tensor_type(file.get(), i))] += gguf_get_tensor_size(file.get(), i);
  }
  return bytes;
}

void Measure(const std::string& path, const std::string& ids_path, int window, const std::string& base_path) {
  const Model model = Load(path, false), base = base_path.empty() ? nullptr : Load(base_path, false);
  const int vocabulary = VocabularyOf(model.get());
  if (base && VocabularyOf(base.get()) != vocabulary) throw std::runtime_error("the vocabularies differ in size");
  const std::vector<int32_t> ids = ReadIds(ids_path, window, vocabulary);
  std::vector<Sums> rows(ids.size() / window);
  // Windows side by side, not the threads of one: llama.cpp's spin while they wait for each other, which on busy cores
  // takes ten times as long.
  std::vector<std::future<void>> threads;
  for (size_t first = 0; first < kThreads; ++first) {
    threads.push_back(std::async(std::launch::async, [&, first] {
      Evaluator evaluator(model.get(), window);
      const auto base_evaluator = base ? std::make_unique<Evaluator>(base.get(), window) : nullptr;
      for (size_t row = first; row < rows.size(); row += kThreads) {
        rows[row] = Score(&ids[row * window], window, evaluator, base_evaluator.get());
      }
    }));
  }
  for (std::future<void>& thread : threads) thread.get();
  Sums all;
  for (const Sums& row : rows) all = {all.nll + row.nll, all.kl + row.kl};
  const size_t tokens = rows.size() * (static_cast<size_t>(window) - 1);
  const double nll = all.nll / static_cast<double>(tokens);
  if (!std::isfinite(nll)) throw std::runtime_error("the likelihood is not finite");
  std::printf(R"({"tokens": %zu, "nll": %.10g, "perplexity": %.10g)", tokens, nll, std::exp(nll));
  if (base) std::printf(R"(, "kl": %.10g)", all.kl / static_cast<double>(tokens));
  const char* before = R"(, "type_bytes": {)";
  for (const auto& [type, bytes] : BytesOfTypes(path)) {
    std::printf(R"(%s"%s": %zu)", before, type.c_str(), bytes);
    before = ", ";
  }
  std::printf("}}\n");
}

void Tokenize(const llama_model* model, const std::string& text) {
  std::vector<llama_token> ids(text.size() + 16);
  const int count = llama_tokenize(llama_model_get_vocab(model), text.data(), static_cast<int32_t>(text.size()),
                                   ids.data(), static_cast<int32_t>(ids.size()), /*add_special=*/false,
                                   /*parse_special=*/false);
  if (count < 0) throw std::runtime_error("llama_tokenize needs room for " + std::to_string(-count) + " ids");
  std::printf("[");
  for (int i = 0; i < count; ++i) std::printf("%s%d", i == 0 ? "" : ", ", ids[i]);
  std::printf("]\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  llama_log_set(Log, nullptr);
  try {
    if (arguments.size() >= 3 && arguments[0] == "--tokenize") {
      const Model model = Load(arguments[1], true);
      for (size_t i = 2; i < arguments.size(); ++i) Tokenize(model.get(), ReadFile(arguments[i]));
    } else if (arguments.size() == 3 || arguments.size() == 4) {
      Measure(arguments[0], arguments[1], std::atoi(arguments[2].c_str()), arguments.size() == 4 ? arguments[3] : "");
    } else {
      std::fprintf(stderr,
                   "usage: llama_windows MODEL.gguf IDS.bin WINDOW [BASE.gguf]\n"
                   "       llama_windows --tokenize MODEL.gguf TEXT...\n");
      return 2;
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
