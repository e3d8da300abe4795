#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace bitwright::worker {

// Byte strings with a number each, found by walking a text. Nodes by number, 0 is the root.
class ByteTrie {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;

  // False: `key` is there already.
  bool Insert(std::string_view key, int32_t value) {
    Node node = kRoot;
    for (char byte : key) {
      const auto [edge, fresh] = edges_.try_emplace(Edge(node, byte), static_cast<Node>(values_.size()));
      if (fresh) values_.push_back(kNone);
      node = edge->second;
    }
    if (values_[node] != kNone) return false;
    values_[node] = value;
    return true;
  }

  // The node that `byte` leads to; nothing when no key goes on so.
  std::optional<Node> Step(Node node, char byte) const {
    const auto edge = edges_.find(Edge(node, byte));
    return edge == edges_.end() ? std::nullopt : std::optional<Node>(edge->second);
  }

  static constexpr int32_t kNone = -1;
  int32_t ValueAt(Node node) const { return values_[node]; }  // kNone: no key ends here

 private:
  static uint64_t Edge(Node node, char byte) { return uint64_t{node} << 8 | static_cast<uint8_t>(byte); }
  absl::flat_hash_map<uint64_t, Node> edges_;
  std::vector<int32_t> values_{kNone};
};

}  // namespace bitwright::worker
