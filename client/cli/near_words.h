#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

// Which word a person may have meant. Pure.
namespace bitwright::client {

// Letters to insert, drop, replace or swap with their neighbour that turn one word into the other.
int EditDistance(std::string_view a, std::string_view b);

// Those of the words that `typed` may be a slip of, nearest first, at most three: a third of the letters may be wrong,
// or it is their beginning (three letters or more). None is much farther than the nearest.
std::vector<std::string> NearWords(std::string_view typed, std::span<const std::string> words);

// "; did you mean 'x' or 'y'?", or nothing.
std::string DidYouMean(std::string_view typed, std::span<const std::string> words);

}  // namespace bitwright::client
