#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"

namespace bitwright::worker {

// The ids of pieces seen before: a text has few different words. Views must live as long as the cache.
class PieceCache {
 public:
  // Appends the ids of `piece` to `ids`. Where it is new, `encode` appends them to the vector that it is given.
  void Append(std::string_view piece, std::vector<int32_t>& ids,
              absl::FunctionRef<void(std::string_view, std::vector<int32_t>&)> encode) {
    const auto [entry, fresh] = seen_.try_emplace(piece);
    if (fresh) {
      entry->second.begin = pool_.size();
      encode(piece, pool_);
      entry->second.end = pool_.size();
    }
    const auto at = [&](size_t index) { return pool_.begin() + static_cast<std::ptrdiff_t>(index); };
    ids.insert(ids.end(), at(entry->second.begin), at(entry->second.end));
  }

 private:
  struct Range {
    size_t begin = 0;
    size_t end = 0;
  };
  absl::flat_hash_map<std::string_view, Range> seen_;
  std::vector<int32_t> pool_;
};

}  // namespace bitwright::worker
