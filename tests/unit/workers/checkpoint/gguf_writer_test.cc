#include "workers/checkpoint/gguf_writer.h"

#include <gtest/gtest.h>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/checkpoint/gguf_bytes.h"
#include "workers/base/files.h"
#include "workers/checkpoint/gguf.h"

namespace bitwright::worker {
namespace {

std::span<const std::byte> BytesOf(const std::string& text) { return std::as_bytes(std::span(text)); }

// What is written; nothing of it is read by GgufFile.
std::string Written(const GgufPlan& plan, const std::vector<std::string>& data) {
  const TempDir dir;
  auto writer = GgufWriter::Create(dir / "x", plan);
  EXPECT_THAT(writer, IsOk());
  for (const std::string& bytes : data) EXPECT_THAT(writer->Append(BytesOf(bytes)), IsOk());
  EXPECT_THAT(writer->Close(), IsOk());
  return ReadFile(dir / "x").value();
}

TEST(GgufWriter, WritesTheBytesOfTheFormat) {
  const std::vector<GgufSetting> settings = {
      GgufText("general.architecture", "llama"),
      GgufNumber("u32", uint32_t{7}),
      GgufNumber("truth", true),
      GgufNumber("real", 0.5f),
      GgufTexts("texts", std::vector<std::string>{"a", ""}),
      GgufNumbers("numbers", std::span<const int32_t>(std::vector<int32_t>{1, -2})),
  };
  const std::vector<GgufDeclaration> tensors = {{"a", {3, 32}, *FindGgmlType(8)}, {"b", {5}, *FindGgmlType(0)}};
  ASSERT_OK_AND_ASSIGN(const GgufPlan plan, PlanGguf("x", settings, tensors));
  const std::string a(102, 'a'), b(20, 'b');

  GgufParts parts;
  parts.pairs = {
      GgufPair("general.architecture", 8, GgufString("llama")),
      GgufPair("u32", 4, GgufWord(uint32_t{7})),
      GgufPair("truth", 7, "\x01"),
      GgufPair("real", 6, GgufWord(0.5f)),
      GgufPair("texts", 9, GgufWord(uint32_t{8}) + GgufWord(uint64_t{2}) + GgufString("a") + GgufString("")),
      GgufPair("numbers", 9,
               GgufWord(uint32_t{5}) + GgufWord(uint64_t{2}) + GgufWord(int32_t{1}) + GgufWord(int32_t{-2}))};
  parts.infos = {GgufInfo("a", {32, 3}, 8, 0), GgufInfo("b", {5}, 0, 128)};
  parts.data = a + std::string(26, '\0') + b + std::string(12, '\0');
  const std::string written = Written(plan, {a, b});
  EXPECT_EQ(written, parts.Bytes());
  EXPECT_EQ(plan.file_bytes, static_cast<int64_t>(written.size()));
}

TEST(GgufWriter, AlignsAsItsMetadataSay) {
  const std::vector<GgufSetting> settings = {GgufNumber(GgufFile::kAlignmentKey, uint32_t{256})};
  const std::vector<GgufDeclaration> tensors = {{"a", {3}, *FindGgmlType(24)}, {"b", {256}, *FindGgmlType(24)}};
  ASSERT_OK_AND_ASSIGN(const GgufPlan plan, PlanGguf("x", settings, tensors));
  EXPECT_EQ(plan.header.size(), 256u);
  EXPECT_EQ(plan.file_bytes, 256 + 256 + 256);
  const TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "x", Written(plan, {"abc", std::string(256, 'x')})));
  ASSERT_OK_AND_ASSIGN(const GgufFile file, GgufFile::Open(dir / "x", "x"));
  EXPECT_EQ(file.alignment(), 256);
  EXPECT_EQ(file.tensors()[1].bytes[0], std::byte{'x'});
}

TEST(GgufWriter, AFileOfNothing) {
  ASSERT_OK_AND_ASSIGN(const GgufPlan plan, PlanGguf("x", {}, {}));
  EXPECT_EQ(plan.file_bytes, 32);
  EXPECT_EQ(Written(plan, {}), GgufParts{}.Bytes());
}

TEST(GgufWriter, TellsOfEachPartThatIsWritten) {
  const std::vector<GgufDeclaration> tensors = {{"a", {1000}, *FindGgmlType(24)}};
  ASSERT_OK_AND_ASSIGN(const GgufPlan plan, PlanGguf("x", {}, tensors));
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(GgufWriter writer, GgufWriter::Create(dir / "x", plan));
  const std::string data(1000, 'a');
  size_t written = 0;
  BITWRIGHT_ASSERT_OK(writer.Append(BytesOf(data), [&](std::span<const std::byte> part) { written += part.size(); }));
  BITWRIGHT_ASSERT_OK(writer.Close());
  EXPECT_EQ(written, 1000u);
}

TEST(GgufWriter, RefusesNamesThatGgmlCannotHold) {
  const auto plan = [](size_t size) {
    const std::vector<GgufDeclaration> tensors = {{std::string(size, 'n'), {1}, *FindGgmlType(24)}};
    return PlanGguf("model.gguf", {}, tensors).status();
  };
  BITWRIGHT_EXPECT_OK(plan(63));
  EXPECT_THAT(plan(64), HasReason("GGUF_NAME_TOO_LONG"));
  EXPECT_EQ(GetErrorDetail(plan(64))->metadata.at("limit"), "63");
}

TEST(GgufWriterDeathTest, WhatTheCallerGotWrongEndsTheProgram) {
  const GgmlType q8 = *FindGgmlType(8);
  const std::vector<GgufDeclaration> half = {{"a", {2, 16}, q8}};
  EXPECT_DEATH((void)PlanGguf("x", {}, half), "no rows of type Q8_0");
  const std::vector<GgufDeclaration> twice = {{"a", {32}, q8}, {"a", {32}, q8}};
  EXPECT_DEATH((void)PlanGguf("x", {}, twice), "twice");
  const std::vector<GgufSetting> keys = {GgufText("k", ""), GgufText("k", "")};
  EXPECT_DEATH((void)PlanGguf("x", keys, {}), "twice");
  const std::vector<GgufSetting> alignment = {GgufNumber(GgufFile::kAlignmentKey, uint32_t{24})};
  EXPECT_DEATH((void)PlanGguf("x", alignment, {}), "general.alignment: 24");
}

}  // namespace
}  // namespace bitwright::worker
