#include "workers/checkpoint/ggml_types.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

TEST(GgmlTypes, AreThoseOfTheGgufPackage) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(*shared + "/fixtures/packing/gguf-types/types.json"));
  const nlohmann::json types = nlohmann::json::parse(text)["types"];
  EXPECT_EQ(types.size(), 25u);
  for (const auto& item : types.items()) {
    SCOPED_TRACE(item.key());
    const auto type = FindGgmlType(item.value()["id"].get<uint32_t>());
    ASSERT_TRUE(type.has_value());
    EXPECT_EQ(type->name, item.key());
    EXPECT_EQ(type->values_per_block, item.value()["values_per_block"].get<int64_t>());
    EXPECT_EQ(type->bytes_per_block, item.value()["bytes_per_block"].get<int64_t>());
  }
}

TEST(GgmlTypes, OthersArePlainNumbers) {
  EXPECT_EQ(GgmlTypes().size(), 31u);
  for (const auto& [id, bytes] : {std::pair(0u, 4), {24u, 1}, {25u, 2}, {26u, 4}, {27u, 8}, {28u, 8}}) {
    const auto type = FindGgmlType(id);
    ASSERT_TRUE(type.has_value()) << id;
    EXPECT_EQ(type->values_per_block, 1);
    EXPECT_EQ(type->bytes_per_block, bytes);
  }
  for (const uint32_t id : {4u, 5u, 9u, 15u, 31u, 32u, 33u, 36u, 37u, 38u, 41u, ~0u}) {
    EXPECT_FALSE(FindGgmlType(id).has_value()) << id;
  }
}

TEST(GgmlTypes, BytesAreThoseOfWholeBlocks) {
  const GgmlType q8 = *FindGgmlType(8);
  EXPECT_EQ(StoredBytes(q8, {3, 64}), 3 * 2 * 34);
  EXPECT_TRUE(RowsAreWholeBlocks(q8, {3, 64}));
  EXPECT_FALSE(RowsAreWholeBlocks(q8, {2, 16}));
  EXPECT_EQ(StoredBytes(q8, {INT64_MAX - 31}), std::nullopt);
  EXPECT_EQ(StoredBytes(q8, {int64_t{1} << 32, int64_t{1} << 32}), std::nullopt);
  EXPECT_EQ(StoredBytes(*FindGgmlType(24), {INT64_MAX}), INT64_MAX);
}

}  // namespace
}  // namespace bitwright::worker
