#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace bitwright::worker {

// SentencePiece's table of replacements (precompiled_charsmap): what a sequence of characters becomes.
//
// Layout, little-endian: u32 bytes of the trie; the trie, a Darts double array of u32 units (J. Aoe, 1989; the layout
// is darts-clone's); the rest, replacements in UTF-8, each ended by a zero byte. A key's value is the offset of its
// replacement. A unit holds: bits 0-7 label; bit 8: the node ends a key, and the unit at its offset holds the value in
// bits 0-30; bit 9: the offset counts in 256; bits 10-30: offset to the children, which stand at offset XOR byte.
//
// Hostile: units are checked as they are walked. Immutable, thread-safe.
class Charsmap {
 public:
  // Sizes that do not fit and replacements that are not UTF-8 are what `invalid` makes of the problem.
  static absl::StatusOr<Charsmap> Create(std::string_view bytes,
                                         absl::FunctionRef<absl::Status(const std::string& problem)> invalid);

  // A key that a text begins with.
  struct Match {
    size_t length = 0;  // in bytes; 0: there is none
    std::string_view replacement;
  };
  Match Longest(std::string_view text) const;
  Match Shortest(std::string_view text) const;

 private:
  Charsmap() = default;
  Match Walk(std::string_view text, bool longest) const;
  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace bitwright::worker
