#include "workers/checkpoint/gguf.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/checkpoint/gguf_bytes.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

using testing::ElementsAre;

absl::StatusOr<GgufFile> Opened(const GgufParts& parts) {
  const TempDir dir;
  EXPECT_THAT(WriteFile(dir / "x", parts.Bytes()), IsOk());
  return GgufFile::Open(dir / "x", "x");
}

template <typename T>
std::string One(const std::string& key, uint32_t kind, T number) {
  return GgufPair(key, kind, GgufWord(number));
}

std::string Array(const std::string& key, uint32_t kind, uint64_t count, const std::string& elements) {
  return GgufPair(key, 9, GgufWord(kind) + GgufWord(count) + elements);
}

TEST(Gguf, ReadsValuesOfEveryKind) {
  GgufParts parts;
  parts.pairs = {One("u8", 0, uint8_t{200}),
                 One("i8", 1, int8_t{-100}),
                 One("u16", 2, uint16_t{60'000}),
                 One("i16", 3, int16_t{-30'000}),
                 One("u32", 4, uint32_t{4'000'000'000}),
                 One("i32", 5, int32_t{-2'000'000'000}),
                 One("f32", 6, 1e-5f),
                 One("bool", 7, uint8_t{1}),
                 One("u64", 10, uint64_t{1} << 62),
                 One("i64", 11, int64_t{-1} << 62),
                 One("f64", 12, 1e-300),
                 GgufPair("string", 8, GgufString("a"))};
  ASSERT_OK_AND_ASSIGN(const GgufFile file, Opened(parts));
  const GgufMetadata& metadata = file.metadata();
  EXPECT_EQ(metadata.entries().size(), 12u);
  EXPECT_EQ(metadata.entries()[11].key, "string");
  EXPECT_THAT(metadata.Integer("u8").value(), 200);
  EXPECT_THAT(metadata.Integer("i8").value(), -100);
  EXPECT_THAT(metadata.Integer("u16").value(), 60'000);
  EXPECT_THAT(metadata.Integer("i16").value(), -30'000);
  EXPECT_THAT(metadata.Integer("u32").value(), 4'000'000'000);
  EXPECT_THAT(metadata.Integer("i32").value(), -2'000'000'000);
  EXPECT_THAT(metadata.Integer("u64").value(), int64_t{1} << 62);
  EXPECT_THAT(metadata.Integer("i64").value(), int64_t{-1} << 62);
  EXPECT_THAT(metadata.Real("f32").value(), static_cast<double>(1e-5f));
  EXPECT_THAT(metadata.Real("f64").value(), 1e-300);
  EXPECT_TRUE(metadata.Truth("bool").value());
  EXPECT_EQ(metadata.Text("string").value(), "a");
  EXPECT_TRUE(metadata.Has("u8"));
  EXPECT_FALSE(metadata.Has("U8"));
}

TEST(Gguf, ReadsArrays) {
  GgufParts parts;
  parts.pairs = {Array("texts", 8, 3, GgufString("one") + GgufString("") + GgufString("three")),
                 Array("truths", 7, 3, std::string("\x01\x00\x01", 3)),
                 Array("integers", 5, 2, GgufWord(int32_t{-1}) + GgufWord(int32_t{7})),
                 Array("reals", 6, 2, GgufWord(0.5f) + GgufWord(-2.0f)), Array("none", 8, 0, "")};
  ASSERT_OK_AND_ASSIGN(const GgufFile file, Opened(parts));
  const GgufMetadata& metadata = file.metadata();
  EXPECT_THAT(metadata.Texts("texts").value(), ElementsAre("one", "", "three"));
  EXPECT_THAT(metadata.Truths("truths").value(), ElementsAre(true, false, true));
  EXPECT_THAT(metadata.Integers("integers").value(), ElementsAre(-1, 7));
  EXPECT_THAT(metadata.Reals("reals").value(), ElementsAre(0.5, -2.0));
  EXPECT_TRUE(metadata.Texts("none").value().empty());
}

TEST(Gguf, RefusesValuesOfAnotherKind) {
  GgufParts parts;
  parts.pairs = {One("u32", 4, uint32_t{1}), One("f32", 6, 1.0f), One("bool", 7, uint8_t{1}),
                 One("beyond", 10, uint64_t{1} << 63), Array("u32s", 4, 1, GgufWord(uint32_t{1}))};
  ASSERT_OK_AND_ASSIGN(const GgufFile file, Opened(parts));
  const GgufMetadata& metadata = file.metadata();
  EXPECT_THAT(metadata.Integer("none"), HasReason("GGUF_KEY_MISSING"));
  EXPECT_THAT(metadata.Find("none"), HasReason("GGUF_KEY_MISSING"));
  EXPECT_THAT(metadata.Text("u32"), HasReason("GGUF_VALUE_KIND_WRONG"));
  EXPECT_THAT(metadata.Truth("u32"), HasReason("GGUF_VALUE_KIND_WRONG"));
  EXPECT_THAT(metadata.Real("u32"), HasReason("GGUF_VALUE_KIND_WRONG"));
  EXPECT_THAT(metadata.Integer("f32"), HasReason("GGUF_VALUE_KIND_WRONG"));
  EXPECT_THAT(metadata.Integer("bool"), HasReason("GGUF_VALUE_KIND_WRONG"));
  EXPECT_THAT(metadata.Integer("beyond"), HasReason("GGUF_VALUE_KIND_WRONG"));
  EXPECT_THAT(metadata.Integer("u32s"), HasReason("GGUF_VALUE_KIND_WRONG"));
  EXPECT_THAT(metadata.Integers("u32"), HasReason("GGUF_VALUE_KIND_WRONG"));
  EXPECT_THAT(metadata.Texts("u32s"), HasReason("GGUF_VALUE_KIND_WRONG"));
}

TEST(Gguf, ReadsTensorsRowMajor) {
  GgufParts parts;
  parts.pairs = {One("general.alignment", 4, uint32_t{64})};
  parts.infos = {GgufInfo("a", {32, 3}, 8, 0), GgufInfo(std::string(64, 'n'), {1, 2, 3, 4}, 24, 128)};
  parts.alignment = 64;
  parts.data = std::string(102, 'a') + std::string(26, '\0') + std::string(24, 'b');
  ASSERT_OK_AND_ASSIGN(const GgufFile file, Opened(parts));
  EXPECT_EQ(file.alignment(), 64);
  EXPECT_EQ(file.header_bytes(), parts.Header().size());
  ASSERT_OK_AND_ASSIGN(const GgufTensor a, file.Find("a"));
  EXPECT_EQ(a.shape, (std::vector<int64_t>{3, 32}));
  EXPECT_EQ(a.type.name, "Q8_0");
  EXPECT_EQ(a.bytes.size(), 102u);
  EXPECT_EQ(a.bytes.back(), std::byte{'a'});
  ASSERT_OK_AND_ASSIGN(const GgufTensor b, file.Find(std::string(64, 'n')));
  EXPECT_EQ(b.shape, (std::vector<int64_t>{4, 3, 2, 1}));
  EXPECT_EQ(b.bytes.size(), 24u);
  EXPECT_EQ(b.bytes.front(), std::byte{'b'});
  EXPECT_THAT(file.Find("c"), HasReason("TENSOR_MISSING"));
}

TEST(Gguf, ReadsVersion2AndFilesOfNothing) {
  ASSERT_OK_AND_ASSIGN(const GgufFile padded, Opened({.version = 2}));
  EXPECT_EQ(padded.version(), 2u);
  EXPECT_TRUE(padded.tensors().empty());
  ASSERT_OK_AND_ASSIGN(const GgufFile bare, Opened({.alignment = 1}));
  EXPECT_EQ(bare.bytes().size(), 24u);
  EXPECT_EQ(bare.alignment(), 32);
}

TEST(Gguf, ViewsOutliveTheObjectTheyCameFromInACopy) {
  GgufParts parts;
  parts.pairs = {GgufPair("k", 8, GgufString("value"))};
  parts.infos = {GgufInfo("a", {4}, 24, 0)};
  parts.data = "abcd";
  std::optional<GgufFile> copy;
  {
    ASSERT_OK_AND_ASSIGN(const GgufFile file, Opened(parts));
    copy = file;
  }
  EXPECT_EQ(copy->metadata().Text("k").value(), "value");
  EXPECT_EQ(copy->tensors()[0].bytes[3], std::byte{'d'});
}

}  // namespace
}  // namespace bitwright::worker
