#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// A tokenizer.json in parts: the two large ones as plain vectors, everything else as JSON.
struct TokenizerJson {
  struct Entry {
    std::string token;
    int32_t id;
  };
  std::shared_ptr<const nlohmann::json> settings;  // an object, without model.vocab and model.merges
  std::vector<Entry> vocab;                        // in the order of the file; ids in [0, kMaxVocabulary)
  std::vector<std::pair<std::string, std::string>> merges;
  std::vector<std::pair<std::string, double>> scores;  // a vocabulary in form of a list, in the order of the file
  bool has_vocab = false;                              // model.vocab is there and an object
  bool has_scores = false;                             // or an array
  bool has_merges = false;
};

inline constexpr int64_t kMaxTokenizerBytes = int64_t{256} << 20;
inline constexpr int32_t kMaxVocabulary = 4'000'000;
inline constexpr int64_t kMaxMerges = 8'000'000;
inline constexpr int64_t kMaxSettings = 4'000'000;  // values outside of vocab and merges
inline constexpr int kMaxNesting = 64;

// TOKENIZER_INVALID: not JSON (with the byte), a limit above passed, a key twice in one object (but for vocab, whose
// tokens the model checks), a vocabulary id, score or merge of the wrong form.
absl::StatusOr<TokenizerJson> ReadTokenizerJson(std::string_view text);

}  // namespace bitwright::worker
