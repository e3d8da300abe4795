#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/base/status_macros.h"
#include "server/store/store.h"

namespace bitwright::server {

// Where a page of a list begins. Tokens are opaque to clients and valid for one query only (`query` names the method,
// its filter and its order).
struct Page {
  std::optional<int64_t> beyond;  // rows after the one of this order
  int size = 0;
};

// INVALID_ARGUMENT: PAGE_TOKEN_INVALID, PAGE_SIZE_INVALID (negative). Sizes above the limit are cut to it.
absl::StatusOr<Page> ParsePage(int page_size, std::string_view page_token, std::string_view query);
std::string PageToken(int64_t beyond, std::string_view query);

// The same for lists in the order of a name or key. An empty `beyond` is the beginning.
struct NamedPage {
  std::string beyond;
  int size = 0;
};
absl::StatusOr<NamedPage> ParseNamedPage(int page_size, std::string_view page_token, std::string_view query);
std::string NamedPageToken(std::string_view beyond, std::string_view query);

template <typename Row>
struct RowPage {
  std::vector<Row> rows;
  std::optional<int64_t> beyond;  // where the next page begins; nothing: there is none
};

inline constexpr int kScanBatch = 100;         // rows that one reading of the store takes
inline constexpr int kMostScanned = 20000;     // rows that one call looks at; a page may then be shorter than wanted
inline constexpr size_t kPageBytes = 2 << 20;  // of bodies in one page, which must fit a message; or one row

// The next rows of a query that match: `size` of them, or as many as kPageBytes hold. The store is read in batches, so
// that nobody waits for a long scan. `all` says that every row matches. `read` makes one batch of a query.
template <typename Row>
absl::StatusOr<RowPage<Row>> ReadPage(
    Store& store, RowQuery query, int size, bool all,
    const std::function<absl::StatusOr<std::vector<Row>>(Snapshot&, const RowQuery&)>& read,
    const std::function<bool(const Row&)>& matches) {
  RowPage<Row> page;
  query.limit = all ? std::min(size + 1, kScanBatch) : kScanBatch;
  size_t bytes = 0;
  for (int scanned = 0; scanned < kMostScanned; scanned += query.limit) {
    std::vector<Row> batch;
    ABSL_RETURN_IF_ERROR(store.Read([&](Snapshot& snapshot) -> absl::Status {
      ABSL_ASSIGN_OR_RETURN(batch, read(snapshot, query));
      return absl::OkStatus();
    }));
    for (Row& row : batch) {
      query.beyond = row.order;
      if (!all && !matches(row)) continue;
      bytes += row.body.size();
      if (static_cast<int>(page.rows.size()) == size || (!page.rows.empty() && bytes > kPageBytes)) {
        page.beyond = page.rows.back().order;
        return page;
      }
      page.rows.push_back(std::move(row));
    }
    if (static_cast<int>(batch.size()) < query.limit) return page;
  }
  page.beyond = query.beyond;
  return page;
}

}  // namespace bitwright::server
