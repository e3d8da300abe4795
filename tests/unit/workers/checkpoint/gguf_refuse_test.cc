#include <gtest/gtest.h>

#include <set>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/checkpoint/gguf_bytes.h"
#include "workers/base/files.h"
#include "workers/checkpoint/gguf.h"

namespace bitwright::worker {
namespace {

constexpr uint32_t kF32 = 0, kQ80 = 8;
constexpr uint32_t kU32Kind = 4, kBoolKind = 7, kStringKind = 8, kArrayKind = 9;
constexpr uint64_t kHuge = ~uint64_t{0};

absl::Status Open(const std::string& bytes) {
  const TempDir dir;
  EXPECT_THAT(WriteFile(dir / "x", bytes), IsOk());
  return GgufFile::Open(dir / "x", "model.gguf").status();
}

struct Bad {
  std::string name;
  std::string bytes;
  std::string reason;
};

std::ostream& operator<<(std::ostream& out, const Bad& bad) { return out << bad.name; }

// The start of a file that declares these counts, and what follows.
std::string Counts(uint64_t tensors, uint64_t pairs, const std::string& rest = "") {
  return "GGUF" + GgufWord<uint32_t>(3) + GgufWord(tensors) + GgufWord(pairs) + rest;
}

std::string Pairs(std::vector<std::string> pairs) { return GgufParts{.pairs = std::move(pairs)}.Bytes(); }

std::string Alignment(uint32_t alignment) {
  return Pairs({GgufPair("general.alignment", kU32Kind, GgufWord(alignment))});
}

// One value of a kind, and enough bytes after it that only its own declaration can be wrong.
std::string Value(uint32_t kind, const std::string& value) {
  return Pairs({GgufPair("a.key", kind, value), GgufPair("z", kStringKind, GgufString(std::string(64, 'z')))});
}

std::string Array(uint32_t kind, uint64_t count, const std::string& elements) {
  return Value(kArrayKind, GgufWord(kind) + GgufWord(count) + elements);
}

std::string Tensors(std::vector<std::string> infos, size_t data) {
  return GgufParts{.infos = std::move(infos), .data = std::string(data, 'x')}.Bytes();
}

std::string Shape(const std::vector<uint64_t>& dimensions, uint32_t type = kF32) {
  return Tensors({GgufInfo("t", dimensions, type, 0)}, 64);
}

class BadGguf : public ::testing::TestWithParam<Bad> {};

TEST_P(BadGguf, IsRefusedByItsReason) {
  const absl::Status status = Open(GetParam().bytes);
  EXPECT_THAT(status, HasReason(GetParam().reason));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(GetErrorDetail(status)->metadata.at("file"), "model.gguf");
}

INSTANTIATE_TEST_SUITE_P(
    Frame, BadGguf,
    ::testing::Values(
        Bad{"empty", "", "GGUF_TRUNCATED"}, Bad{"three bytes", "GGU", "GGUF_TRUNCATED"},
        Bad{"another magic", GgufParts{.magic = "ggjt"}.Bytes(), "GGUF_MAGIC_WRONG"},
        Bad{"version 0", GgufParts{.version = 0}.Bytes(), "GGUF_VERSION_UNSUPPORTED"},
        Bad{"version 1", GgufParts{.version = 1}.Bytes(), "GGUF_VERSION_UNSUPPORTED"},
        Bad{"version 4", GgufParts{.version = 4}.Bytes(), "GGUF_VERSION_UNSUPPORTED"},
        Bad{"big endian", GgufParts{.version = 3u << 24}.Bytes(), "GGUF_VERSION_UNSUPPORTED"},
        Bad{"a tensor without bytes", Counts(1, 0), "GGUF_COUNT_TOO_LARGE"},
        Bad{"an entry without bytes", Counts(0, 1), "GGUF_COUNT_TOO_LARGE"},
        Bad{"tensors of 2^64 - 1", Counts(kHuge, 0, std::string(64, 'x')), "GGUF_COUNT_TOO_LARGE"},
        Bad{"entries of 2^64 - 1", Counts(0, kHuge, std::string(64, 'x')), "GGUF_COUNT_TOO_LARGE"},
        // 14 · this wraps to 12.
        Bad{"entries whose bytes wrap", Counts(0, (kHuge / 14) + 2, std::string(64, 'x')), "GGUF_COUNT_TOO_LARGE"},
        Bad{"more entries than the limit", Counts(0, 65'537, std::string(1 << 20, '\0')), "GGUF_COUNT_TOO_LARGE"}));

INSTANTIATE_TEST_SUITE_P(
    Metadata, BadGguf,
    ::testing::Values(
        Bad{"key past the end", Counts(0, 1, GgufWord<uint64_t>(100) + std::string(50, 'k')), "GGUF_TRUNCATED"},
        Bad{"key of 2^64 - 1", Counts(0, 1, GgufWord(kHuge) + std::string(50, 'k')), "GGUF_TRUNCATED"},
        Bad{"empty key", Pairs({GgufPair("", kU32Kind, GgufWord(uint32_t{1}))}), "GGUF_KEY_INVALID"},
        Bad{"key of 65536 bytes", Pairs({GgufPair(std::string(65'536, 'k'), kU32Kind, GgufWord(uint32_t{1}))}),
            "GGUF_KEY_INVALID"},
        Bad{"a key twice",
            Pairs({GgufPair("k", kU32Kind, GgufWord(uint32_t{1})), GgufPair("k", kStringKind, GgufString(""))}),
            "GGUF_DUPLICATE_KEY"},
        Bad{"unknown kind", Value(13, GgufWord(kHuge)), "GGUF_VALUE_INVALID"},
        Bad{"kind of 2^32 - 1", Value(~0u, GgufWord(kHuge)), "GGUF_VALUE_INVALID"},
        Bad{"truth of 2", Value(kBoolKind, "\x02"), "GGUF_VALUE_INVALID"},
        Bad{"string past the end", Value(kStringKind, GgufWord<uint64_t>(1000)), "GGUF_TRUNCATED"},
        Bad{"string of 2^64 - 1", Value(kStringKind, GgufWord(kHuge)), "GGUF_TRUNCATED"},
        Bad{"string of 2^63", Value(kStringKind, GgufWord(uint64_t{1} << 63)), "GGUF_TRUNCATED"},
        Bad{"array of arrays", Array(kArrayKind, 1, GgufWord(kU32Kind) + GgufWord<uint64_t>(0)), "GGUF_VALUE_INVALID"},
        Bad{"array of an unknown kind", Array(13, 0, ""), "GGUF_VALUE_INVALID"},
        Bad{"array past the end", Array(kU32Kind, 1000, ""), "GGUF_COUNT_TOO_LARGE"},
        Bad{"array of 2^64 - 1", Array(kU32Kind, kHuge, ""), "GGUF_COUNT_TOO_LARGE"},
        Bad{"array whose bytes wrap", Array(kU32Kind, uint64_t{1} << 62, ""), "GGUF_COUNT_TOO_LARGE"},
        Bad{"strings past the end", Array(kStringKind, 1000, ""), "GGUF_COUNT_TOO_LARGE"},
        Bad{"a string of an array past the end", Array(kStringKind, 2, GgufString("a") + GgufWord(kHuge)),
            "GGUF_TRUNCATED"},
        Bad{"array with a truth of 255", Array(kBoolKind, 3, std::string("\x01\xff\x00", 3)), "GGUF_VALUE_INVALID"},
        Bad{"alignment 0", Alignment(0), "GGUF_ALIGNMENT_INVALID"},
        Bad{"alignment 4", Alignment(4), "GGUF_ALIGNMENT_INVALID"},
        Bad{"alignment 24", Alignment(24), "GGUF_ALIGNMENT_INVALID"},
        Bad{"alignment of another kind", Pairs({GgufPair("general.alignment", 10, GgufWord(uint64_t{32}))}),
            "GGUF_ALIGNMENT_INVALID"}));

INSTANTIATE_TEST_SUITE_P(
    Declarations, BadGguf,
    ::testing::Values(
        Bad{"name past the end", Counts(1, 0, GgufWord<uint64_t>(100) + std::string(50, 'n')), "GGUF_TRUNCATED"},
        Bad{"empty name", Tensors({GgufInfo("", {1}, kF32, 0)}, 32), "GGUF_TENSOR_INVALID"},
        Bad{"name of 65 bytes", Tensors({GgufInfo(std::string(65, 'n'), {1}, kF32, 0)}, 32), "GGUF_TENSOR_INVALID"},
        Bad{"a name twice", Tensors({GgufInfo("t", {1}, kF32, 0), GgufInfo("t", {1}, kF32, 32)}, 64),
            "GGUF_DUPLICATE_TENSOR"},
        Bad{"no dimensions", Shape({}), "GGUF_TENSOR_INVALID"},
        Bad{"five dimensions", Shape({1, 1, 1, 1, 1}), "GGUF_TENSOR_INVALID"},
        Bad{"2^32 - 1 dimensions", Counts(1, 0, GgufString("t") + GgufWord(~0u) + std::string(64, 'x')),
            "GGUF_TENSOR_INVALID"},
        Bad{"dimension 0", Shape({4, 0}), "GGUF_TENSOR_INVALID"},
        Bad{"dimension 2^63", Shape({uint64_t{1} << 63}), "GGUF_TENSOR_INVALID"},
        Bad{"dimension 2^64 - 1", Shape({kHuge}), "GGUF_TENSOR_INVALID"},
        // 2^32 · 2^32 = 2^64 wraps to 0, and 2^62 · 4 bytes wraps to 0.
        Bad{"product wraps", Shape({uint64_t{1} << 32, uint64_t{1} << 32}), "GGUF_SHAPE_OVERFLOW"},
        Bad{"bytes wrap", Shape({uint64_t{1} << 62}), "GGUF_SHAPE_OVERFLOW"},
        Bad{"three dimensions wrap", Shape({uint64_t{1} << 21, uint64_t{1} << 21, uint64_t{1} << 22}),
            "GGUF_SHAPE_OVERFLOW"},
        Bad{"type that was given up", Shape({32}, 4), "GGUF_TYPE_UNKNOWN"},
        Bad{"type of activations", Shape({256}, 15), "GGUF_TYPE_UNKNOWN"},
        Bad{"type 41", Shape({32}, 41), "GGUF_TYPE_UNKNOWN"},
        Bad{"type 2^32 - 1", Shape({32}, ~0u), "GGUF_TYPE_UNKNOWN"},
        Bad{"row of half a block", Shape({16, 2}, kQ80), "GGUF_ROW_NOT_BLOCKS"},
        Bad{"row of a block and one", Shape({33}, kQ80), "GGUF_ROW_NOT_BLOCKS"}));

INSTANTIATE_TEST_SUITE_P(
    Places, BadGguf,
    ::testing::Values(
        Bad{"offset 4", Tensors({GgufInfo("t", {1}, kF32, 4)}, 64), "GGUF_OFFSET_MISALIGNED"},
        Bad{"second at the end of the first", Tensors({GgufInfo("a", {1}, kF32, 0), GgufInfo("b", {1}, kF32, 4)}, 64),
            "GGUF_OFFSET_MISALIGNED"},
        Bad{"overlap", Tensors({GgufInfo("a", {16}, kF32, 0), GgufInfo("b", {1}, kF32, 32)}, 96), "GGUF_OVERLAP"},
        Bad{"the same range", Tensors({GgufInfo("a", {1}, kF32, 0), GgufInfo("b", {1}, kF32, 0)}, 64), "GGUF_OVERLAP"},
        Bad{"falling offsets", Tensors({GgufInfo("a", {1}, kF32, 32), GgufInfo("b", {1}, kF32, 0)}, 64), "GGUF_HOLE"},
        Bad{"hole at the start", Tensors({GgufInfo("t", {1}, kF32, 32)}, 64), "GGUF_HOLE"},
        Bad{"hole between", Tensors({GgufInfo("a", {1}, kF32, 0), GgufInfo("b", {1}, kF32, 64)}, 96), "GGUF_HOLE"},
        Bad{"offset of 2^64 - 32", Tensors({GgufInfo("t", {1}, kF32, kHuge - 31)}, 64), "GGUF_HOLE"},
        Bad{"past the end", Tensors({GgufInfo("t", {16}, kF32, 0)}, 63), "GGUF_PAST_END"},
        Bad{"far past the end", Shape({(uint64_t{1} << 61) - 1}), "GGUF_PAST_END"},
        Bad{"second past the end", Tensors({GgufInfo("a", {1}, kF32, 0), GgufInfo("b", {1}, kF32, 32)}, 35),
            "GGUF_PAST_END"},
        Bad{"second beyond the end", Tensors({GgufInfo("a", {1}, kF32, 0), GgufInfo("b", {1}, kF32, 32)}, 4),
            "GGUF_PAST_END"},
        Bad{"more than padding at the end", Tensors({GgufInfo("t", {1}, kF32, 0)}, 33), "GGUF_TRAILING_BYTES"},
        Bad{"data without tensors", Tensors({}, 1), "GGUF_TRAILING_BYTES"}));

TEST(Gguf, ErrorsNameKeyTensorAndByte) {
  const auto key = GetErrorDetail(Open(Value(kBoolKind, "\x02")));
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->metadata.at("key"), "a.key");
  EXPECT_EQ(key->metadata.at("byte"), std::to_string(24 + 8 + 5 + 4));
  const auto overlap = GetErrorDetail(Open(Tensors({GgufInfo("a", {16}, kF32, 0), GgufInfo("b", {1}, kF32, 32)}, 96)));
  ASSERT_TRUE(overlap.has_value());
  EXPECT_EQ(overlap->metadata.at("tensor"), "b");
  EXPECT_EQ(overlap->metadata.at("other"), "a");
  EXPECT_EQ(overlap->metadata.at("offset"), "32");
  const auto type = GetErrorDetail(Open(Shape({32}, 41)));
  ASSERT_TRUE(type.has_value());
  EXPECT_EQ(type->metadata.at("type"), "41");
}

TEST(Gguf, LongHostileNamesAreCut) {
  const absl::Status status = Open(Pairs({GgufPair(std::string(60'000, 'k'), 13, "")}));
  EXPECT_THAT(status, HasReason("GGUF_VALUE_INVALID"));
  EXPECT_LT(status.message().size(), 1000u);
}

TEST(Gguf, EveryCutOfAFileIsRefused) {
  GgufParts parts;
  parts.pairs = {
      GgufPair("general.architecture", kStringKind, GgufString("llama")),
      GgufPair("a", kArrayKind, GgufWord(kStringKind) + GgufWord<uint64_t>(2) + GgufString("b") + GgufString("")),
      GgufPair("b", kArrayKind, GgufWord(kBoolKind) + GgufWord<uint64_t>(2) + std::string("\x01\x00", 2))};
  parts.infos = {GgufInfo("one", {32, 2}, kQ80, 0), GgufInfo("two", {3}, kF32, 96)};
  parts.data = std::string(96 + 12, 'x');
  const std::string whole = parts.Bytes();
  BITWRIGHT_ASSERT_OK(Open(whole));
  std::set<std::string> reasons;
  for (size_t size = 0; size < whole.size(); ++size) {
    const absl::Status status = Open(whole.substr(0, size));
    ASSERT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << size;
    reasons.insert(ErrorReason(status));
  }
  EXPECT_EQ(reasons, (std::set<std::string>{"GGUF_TRUNCATED", "GGUF_COUNT_TOO_LARGE", "GGUF_PAST_END"}));
}

TEST(Gguf, AMissingFileIsTheMachinerysFault) {
  EXPECT_THAT(GgufFile::Open("/nonexistent/x", "x"), HasReason("FILE_UNREADABLE"));
}

}  // namespace
}  // namespace bitwright::worker
