#include "client/cli/near_words.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace bitwright::client {
namespace {

constexpr size_t kMostWords = 3;
constexpr size_t kShortestBeginning = 3;

std::string_view WithoutDashes(std::string_view word) {
  return word.substr(std::min(word.find_first_not_of('-'), word.size()));
}

}  // namespace

int EditDistance(std::string_view a, std::string_view b) {
  // Optimal string alignment: rows of the table for the last two letters of `a` and this one.
  std::vector<int> two_above(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int other = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + other});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], two_above[j - 2] + 1);
    }
    std::swap(two_above, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::vector<std::string> NearWords(std::string_view typed, std::span<const std::string> words) {
  const std::string lower = absl::AsciiStrToLower(std::string(WithoutDashes(typed)));
  std::vector<std::pair<int, std::string>> near;
  for (const std::string& word : words) {
    const std::string_view bare = WithoutDashes(word);
    const int distance = EditDistance(lower, bare);
    const int most = std::max(1, static_cast<int>(std::max(lower.size(), bare.size())) / 3);
    const bool begins = lower.size() >= kShortestBeginning && bare.starts_with(lower);
    if (distance <= most || begins) near.emplace_back(begins ? std::min(distance, 1) : distance, word);
  }
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  std::vector<std::string> found;
  for (auto& [distance, word] : near) {
    // What is much farther than the nearest is not meant.
    if (found.size() < kMostWords && distance <= near.front().first + 1) found.push_back(word);
  }
  return found;
}

std::string DidYouMean(std::string_view typed, std::span<const std::string> words) {
  const std::vector<std::string> near = NearWords(typed, words);
  std::string text;
  for (size_t i = 0; i < near.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "; did you mean " : i + 1 == near.size() ? " or " : ", ", "'", near[i], "'");
  }
  return near.empty() ? text : text + "?";
}

}  // namespace bitwright::client
