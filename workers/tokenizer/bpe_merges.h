#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace bitwright::worker {

// The list of merges of a byte-pair encoding, by the ids of the pair.
class BpeMerges {
 public:
  struct Merge {
    int32_t rank;   // the lowest is joined first
    int32_t whole;  // the id of both together
  };

  void Reserve(size_t count) { merges_.reserve(count); }
  // Where a pair is set twice the later one counts.
  void Set(int32_t left, int32_t right, Merge merge) { merges_[Key(left, right)] = merge; }
  const Merge* Find(int32_t left, int32_t right) const {
    const auto found = merges_.find(Key(left, right));
    return found == merges_.end() ? nullptr : &found->second;
  }

  // Memory that calls of Join use again.
  class Workspace {
    friend class BpeMerges;
    struct Symbol {
      int32_t id;
      int32_t previous;  // -1: none
      int32_t next;
    };
    // A pair that could be joined; stale once either side has changed.
    struct Candidate {
      int32_t rank;
      int32_t at;
      int32_t left;
      int32_t right;
      int32_t whole;
      // For a heap with the best on top.
      bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
    };
    std::vector<Symbol> symbols;
    std::vector<Candidate> heap;
  };

  // While any neighbours in `ids`, from `begin` on, can be joined, joins the pair of the lowest rank, leftmost first.
  // O(n log n) for n ids, of which there are fewer than 2^31.
  void Join(std::vector<int32_t>& ids, size_t begin, Workspace& work) const;

 private:
  static uint64_t Key(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  void Consider(int32_t at, Workspace& work) const;
  absl::flat_hash_map<uint64_t, Merge> merges_;
};

}  // namespace bitwright::worker
