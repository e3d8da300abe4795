#include "workers/tokenizer/sketch.h"

#include <iterator>
#include <set>

namespace bitwright::worker {
namespace {

// Odd, with bits all over: powers of it spread the ids of a run over 64 bits.
constexpr uint64_t kBase = 0x9e3779b97f4a7c15;

// The finalizer of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): sums of
// powers are not random in their low bits.
uint64_t Mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

std::vector<uint64_t> SketchOf(std::span<const int32_t> ids, int run, int size) {
  std::set<uint64_t> smallest;
  const auto length = static_cast<size_t>(run);
  uint64_t rolling = 0, highest = 1;  // kBase^run
  for (size_t i = 0; i < length; ++i) highest *= kBase;
  for (size_t i = 0; i < ids.size(); ++i) {
    rolling = rolling * kBase + static_cast<uint64_t>(ids[i]) + 1;
    if (i >= length) rolling -= highest * (static_cast<uint64_t>(ids[i - length]) + 1);
    if (i + 1 < length) continue;
    const uint64_t hash = Mixed(rolling);
    const bool full = smallest.size() == static_cast<size_t>(size);
    if (full && hash >= *smallest.rbegin()) continue;
    if (smallest.insert(hash).second && full) smallest.erase(std::prev(smallest.end()));
  }
  return {smallest.begin(), smallest.end()};
}

}  // namespace bitwright::worker
