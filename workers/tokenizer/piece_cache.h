#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace bitwright::worker {

// The ids of pieces seen before: a text has few different words. Keeps copies of them, up to kMostBytes.
class PieceCache {
 public:
  // Appends the ids of `piece` to `ids`. Where it is new, `encode` appends them to the vector that it is given.
  void Append(std::string_view piece, std::vector<int32_t>& ids,
              absl::FunctionRef<void(std::string_view, std::vector<int32_t>&)> encode) {
    auto entry = seen_.find(absl::string_view(piece.data(), piece.size()));
    if (entry == seen_.end()) {
      if (bytes_ + piece.size() > kMostBytes) return encode(piece, ids);
      bytes_ += piece.size() + kEntryBytes;
      entry = seen_.try_emplace(std::string(piece)).first;
      entry->second.begin = pool_.size();
      encode(piece, pool_);
      entry->second.end = pool_.size();
    }
    const auto at = [&](size_t index) { return pool_.begin() + static_cast<std::ptrdiff_t>(index); };
    ids.insert(ids.end(), at(entry->second.begin), at(entry->second.end));
  }

 private:
  static constexpr size_t kMostBytes = 64 << 20;
  static constexpr size_t kEntryBytes = 160;  // of a piece, beside its text

  struct Range {
    size_t begin = 0;
    size_t end = 0;
  };
  size_t bytes_ = 0;
  absl::flat_hash_map<std::string, Range> seen_;
  std::vector<int32_t> pool_;
};

}  // namespace bitwright::worker
