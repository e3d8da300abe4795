#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/base/errors.h"

// Matchers with the names that newer Abseil gives them (absl/status/status_matchers.h); Debian's version lacks them.
namespace bitwright {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

// The stable reason of an error, for example HasReason("BLOB_MISSING").
MATCHER_P(HasReason, reason, "has reason " + std::string(reason)) {
  *result_listener << StatusOf(arg).ToString();
  return ErrorReason(StatusOf(arg)) == reason;
}

MATCHER_P(StatusIs, code, "has the code " + absl::StatusCodeToString(code)) {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

}  // namespace bitwright

#define BITWRIGHT_ASSERT_OK(expr) ASSERT_THAT((expr), ::bitwright::IsOk())
#define BITWRIGHT_EXPECT_OK(expr) EXPECT_THAT((expr), ::bitwright::IsOk())

// ASSERT_OK_AND_ASSIGN(auto value, Call()); inside a void function.
#define BITWRIGHT_TEST_CONCAT_(a, b) a##b
#define BITWRIGHT_TEST_CONCAT(a, b) BITWRIGHT_TEST_CONCAT_(a, b)
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  BITWRIGHT_ASSERT_ASSIGN_IMPL(BITWRIGHT_TEST_CONCAT(bw_test_result_, __LINE__), lhs, expr)
#define BITWRIGHT_ASSERT_ASSIGN_IMPL(result, lhs, expr) \
  auto result = (expr);                                 \
  ASSERT_TRUE(result.ok()) << result.status();          \
  lhs = std::move(result).value()
