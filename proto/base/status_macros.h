#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// The names that newer Abseil gives these (absl/status/status_macros.h); Debian's version lacks them.
#ifndef ABSL_RETURN_IF_ERROR
#define ABSL_RETURN_IF_ERROR(expr)                            \
  do {                                                        \
    if (absl::Status bw_status_ = (expr); !bw_status_.ok()) { \
      return bw_status_;                                      \
    }                                                         \
  } while (false)

#define BITWRIGHT_CONCAT_INNER(a, b) a##b
#define BITWRIGHT_CONCAT(a, b) BITWRIGHT_CONCAT_INNER(a, b)

#define ABSL_ASSIGN_OR_RETURN(lhs, expr) \
  BITWRIGHT_ASSIGN_OR_RETURN_IMPL(BITWRIGHT_CONCAT(bw_result_, __LINE__), lhs, expr)
#define BITWRIGHT_ASSIGN_OR_RETURN_IMPL(result, lhs, expr) \
  auto result = (expr);                                    \
  if (!result.ok()) return std::move(result).status();     \
  lhs = std::move(result).value()
#endif
