#include "workers/checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/safetensors_reader.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

std::string Bytes(const TensorView& view) {
  return {reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size()};
}

TEST(Safetensors, ReadsAFileInAnyOrderWithScalarsAndEmptyTensors) {
  const TempDir dir;
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I16","shape":[2,1],"data_offsets":[4,8]},)"
      R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"none":{"dtype":"F64","shape":[0,7],"data_offsets":[4,4]}})"
      "   ";
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "x", SafetensorsBytes(header, "abcdefgh")));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(dir / "x", "x"));
  EXPECT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  ASSERT_OK_AND_ASSIGN(const TensorView a, file.Find("a"));
  EXPECT_EQ(Bytes(a), "abcd");
  EXPECT_EQ(a.elements(), 1);
  ASSERT_OK_AND_ASSIGN(const TensorView b, file.Find("b"));
  EXPECT_EQ(Bytes(b), "efgh");
  EXPECT_EQ(b.shape, (std::vector<int64_t>{2, 1}));
  ASSERT_OK_AND_ASSIGN(const TensorView none, file.Find("none"));
  EXPECT_EQ(none.elements(), 0);
  EXPECT_THAT(file.Find("c"), HasReason("TENSOR_MISSING"));
}

TEST(Safetensors, ViewsOutliveTheObjectTheyCameFromInACopy) {
  const TempDir dir;
  BITWRIGHT_ASSERT_OK(
      WriteFile(dir / "x", SafetensorsBytes(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "abcd")));
  std::optional<SafetensorsFile> copy;
  {
    ASSERT_OK_AND_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(dir / "x", "x"));
    copy = file;
  }
  EXPECT_EQ(Bytes(copy->tensors().at("a")), "abcd");
}

TEST(Safetensors, EmptyFileOfNoTensors) {
  const TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "x", SafetensorsBytes("{}")));
  ASSERT_OK_AND_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(dir / "x", "x"));
  EXPECT_TRUE(file.tensors().empty());
}

struct Written {
  std::vector<TensorDeclaration> tensors;
  std::vector<std::string> data;
};

Written RandomTensors(std::mt19937& random) {
  constexpr DType kTypes[] = {DType::kF32, DType::kBF16, DType::kF16, DType::kI32, DType::kI64, DType::kU8};
  Written made;
  const int count = static_cast<int>(random() % 6);
  for (int i = 0; i < count; ++i) {
    TensorDeclaration tensor{"t\"\\/\u00e4" + std::to_string(i), kTypes[random() % std::size(kTypes)], {}};
    int64_t bytes = ByteSize(tensor.dtype);
    for (unsigned d = random() % 4; d > 0; --d) {
      tensor.shape.push_back(static_cast<int64_t>(random() % 5));
      bytes *= tensor.shape.back();
    }
    std::string data(static_cast<size_t>(bytes), '\0');
    for (char& byte : data) byte = static_cast<char>(random());
    made.tensors.push_back(std::move(tensor));
    made.data.push_back(std::move(data));
  }
  return made;
}

TEST(SafetensorsWriter, WhatIsWrittenIsRead) {
  const TempDir dir;
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    const Written written = RandomTensors(random);
    const std::map<std::string, std::string> metadata = {{"format", "pt"}, {"note", "\"quoted\"\n"}};
    ASSERT_OK_AND_ASSIGN(SafetensorsWriter writer, SafetensorsWriter::Create(dir / "x", written.tensors, metadata));
    for (const std::string& data : written.data) BITWRIGHT_ASSERT_OK(writer.Append(data.data(), data.size()));
    BITWRIGHT_ASSERT_OK(writer.Close());
    ASSERT_OK_AND_ASSIGN(const SafetensorsFile file, SafetensorsFile::Open(dir / "x", "x"));
    EXPECT_EQ(file.metadata(), metadata);
    const FixtureTensors apart = ReadFixture(dir / "x");
    ASSERT_EQ(file.tensors().size(), written.tensors.size());
    for (size_t i = 0; i < written.tensors.size(); ++i) {
      const TensorDeclaration& declared = written.tensors[i];
      ASSERT_OK_AND_ASSIGN(const TensorView view, file.Find(declared.name));
      EXPECT_EQ(view.dtype, declared.dtype);
      EXPECT_EQ(view.shape, declared.shape);
      EXPECT_EQ(Bytes(view), written.data[i]);
      EXPECT_EQ(Find(apart, declared.name).bytes, written.data[i]);
    }
  }
}

TEST(SafetensorsWriter, HeaderIsPaddedToEightAndTheWholeOfAnEmptyFile) {
  for (int length = 1; length < 20; ++length) {
    const std::string header =
        SafetensorsHeader({{std::string(static_cast<size_t>(length), 'n'), DType::kU8, {3}}}, {});
    EXPECT_EQ(header.size() % 8, 0u);
  }
  const TempDir dir;
  BITWRIGHT_ASSERT_OK(WriteFile(dir / "x", SafetensorsHeader({}, {})));
  EXPECT_THAT(SafetensorsFile::Open(dir / "x", "x"), IsOk());
}

TEST(SafetensorsWriter, AFullDiskOrMissingFolderIsReported) {
  EXPECT_FALSE(SafetensorsWriter::Create("/nonexistent/x", {}, {}).ok());
}

}  // namespace
}  // namespace bitwright::worker
