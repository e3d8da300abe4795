#include "workers/tokenizer/bpe_merges.h"

#include <algorithm>

namespace bitwright::worker {

void BpeMerges::Consider(int32_t at, Workspace& work) const {
  if (at < 0 || work.symbols[at].next < 0) return;
  const int32_t left = work.symbols[at].id;
  const int32_t right = work.symbols[work.symbols[at].next].id;
  const Merge* merge = Find(left, right);
  if (merge == nullptr) return;
  work.heap.push_back({merge->rank, at, left, right, merge->whole});
  std::push_heap(work.heap.begin(), work.heap.end());
}

void BpeMerges::Join(std::vector<int32_t>& ids, size_t begin, Workspace& work) const {
  auto& symbols = work.symbols;
  auto& heap = work.heap;
  const auto count = static_cast<int32_t>(ids.size() - begin);
  symbols.clear();
  heap.clear();
  for (int32_t at = 0; at < count; ++at) symbols.push_back({ids[begin + at], at - 1, at + 1 < count ? at + 1 : -1});
  for (int32_t at = 0; at < count; ++at) Consider(at, work);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const Workspace::Candidate best = heap.back();
    heap.pop_back();
    Workspace::Symbol& left = symbols[best.at];
    if (left.id != best.left || left.next < 0 || symbols[left.next].id != best.right) continue;
    Workspace::Symbol& right = symbols[left.next];
    left.id = best.whole;
    right.id = -1;  // makes candidates that start here stale
    left.next = right.next;
    if (left.next >= 0) symbols[left.next].previous = best.at;
    Consider(left.previous, work);
    Consider(best.at, work);
  }
  ids.resize(begin);
  for (const Workspace::Symbol& symbol : symbols) {
    if (symbol.id >= 0) ids.push_back(symbol.id);
  }
}

}  // namespace bitwright::worker
