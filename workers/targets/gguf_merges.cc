#include "workers/targets/gguf_merges.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "absl/strings/str_cat.h"

namespace bitwright::worker {
namespace {

std::string PairKey(std::string_view left, std::string_view right) {
  return absl::StrCat(std::string(left), std::string(1, '\0'), std::string(right));
}

}  // namespace

std::optional<std::vector<float>> ScoresOfMerges(const GgufTokens& tokens, std::span<const GgufMerge> merges) {
  std::unordered_map<std::string_view, size_t> ids;
  for (size_t i = 0; i < tokens.texts.size(); ++i) {
    if (tokens.types[i] != GgufTokenType::kUnused) ids.emplace(tokens.texts[i], i);
  }
  std::vector<float> scores(tokens.texts.size());
  std::unordered_set<std::string> listed, done;
  std::string last;
  for (const auto& [left, right] : merges) {
    listed.insert(PairKey(left, right));
    std::string joined = left + right;
    if (joined == last) continue;
    const auto id = ids.find(joined);
    if (id == ids.end() || !done.insert(joined).second) return std::nullopt;
    scores[id->second] = -static_cast<float>(done.size());
    last = std::move(joined);
  }
  for (const auto& [text, id] : ids) {
    // Names of control tokens never come out of joining: they are looked for in a text first.
    if (tokens.types[id] == GgufTokenType::kControl) continue;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      const std::string_view left = text.substr(0, cut), right = text.substr(cut);
      if (ids.contains(left) && ids.contains(right) && !listed.contains(PairKey(left, right))) return std::nullopt;
    }
  }
  return scores;
}

}  // namespace bitwright::worker
