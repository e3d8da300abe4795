#include <gtest/gtest.h>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"
#include "workers/checkpoint/safetensors.h"

namespace bitwright::worker {
namespace {

absl::Status Open(const std::string& bytes) {
  const TempDir dir;
  EXPECT_THAT(WriteFile(dir / "x", bytes), IsOk());
  return SafetensorsFile::Open(dir / "x", "model.safetensors").status();
}

struct Bad {
  std::string name;
  std::string bytes;
  std::string reason;
};

std::ostream& operator<<(std::ostream& out, const Bad& bad) { return out << bad.name; }

// A file whose one tensor is declared by `entry`.
std::string One(const std::string& entry, const std::string& data) {
  return SafetensorsBytes("{\"t\":" + entry + "}", data);
}

std::string Entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

// A file with U8 tensors a, b … of these [begin, end) ranges.
std::string Ranges(const std::vector<std::pair<int, int>>& ranges, size_t data) {
  std::string header = "{";
  for (size_t i = 0; i < ranges.size(); ++i) {
    const auto [begin, end] = ranges[i];
    header += (i ? ",\"" : "\"") + std::string(1, static_cast<char>('a' + i)) + "\":" +
              Entry("\"U8\"", "[" + std::to_string(end - begin) + "]",
                    "[" + std::to_string(begin) + "," + std::to_string(end) + "]");
  }
  return SafetensorsBytes(header + "}", std::string(data, 'x'));
}

std::string WithSize(uint64_t size, const std::string& rest) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + rest;
}

class BadSafetensors : public ::testing::TestWithParam<Bad> {};

TEST_P(BadSafetensors, IsRefusedByItsReason) {
  const absl::Status status = Open(GetParam().bytes);
  EXPECT_THAT(status, HasReason(GetParam().reason));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(GetErrorDetail(status)->metadata.at("file"), "model.safetensors");
}

INSTANTIATE_TEST_SUITE_P(
    Frame, BadSafetensors,
    ::testing::Values(Bad{"empty", "", "SAFETENSORS_TRUNCATED"}, Bad{"seven bytes", "1234567", "SAFETENSORS_TRUNCATED"},
                      Bad{"header past the end", WithSize(3, "{}"), "SAFETENSORS_TRUNCATED"},
                      Bad{"header at the limit, no file", WithSize(100'000'000, "{}"), "SAFETENSORS_TRUNCATED"},
                      Bad{"header above the limit", WithSize(100'000'001, "{}"), "SAFETENSORS_HEADER_TOO_LARGE"},
                      Bad{"header of 2^63", WithSize(uint64_t{1} << 63, "{}"), "SAFETENSORS_HEADER_TOO_LARGE"},
                      Bad{"header of 2^64 - 1", WithSize(~uint64_t{0}, "{}"), "SAFETENSORS_HEADER_TOO_LARGE"},
                      Bad{"no header", SafetensorsBytes(""), "JSON_INVALID"},
                      Bad{"not JSON", SafetensorsBytes("{\"t\":"), "JSON_INVALID"},
                      Bad{"space first", SafetensorsBytes(" {}"), "JSON_INVALID"},
                      Bad{"an array", SafetensorsBytes("[]"), "JSON_INVALID"},
                      Bad{"text after it", SafetensorsBytes("{} {}"), "JSON_INVALID"},
                      Bad{"a comment", SafetensorsBytes("{/**/}"), "JSON_INVALID"},
                      Bad{"NUL padding", SafetensorsBytes(std::string("{}\0\0", 4)), "JSON_INVALID"},
                      Bad{"hidden after NUL", SafetensorsBytes(std::string("{}\0{\"t\":1}", 10)), "JSON_INVALID"},
                      Bad{"a byte order mark", SafetensorsBytes("\xef\xbb\xbf{}"), "JSON_INVALID"},
                      Bad{"not UTF-8", SafetensorsBytes("{\"\xff\":1}"), "JSON_INVALID"},
                      Bad{"overlong UTF-8", SafetensorsBytes("{\"\xc0\xaf\":1}"), "JSON_INVALID"},
                      Bad{"lone surrogate", SafetensorsBytes("{\"\\ud800\":1}"), "JSON_INVALID"},
                      Bad{"number beyond double", SafetensorsBytes("{\"t\":1e999}"), "JSON_INVALID"},
                      Bad{"deep", SafetensorsBytes("{\"t\":" + std::string(100000, '[')), "JSON_INVALID"},
                      Bad{"five levels", One("{\"shape\":[[[1]]]}", ""), "JSON_INVALID"},
                      Bad{"same name twice", SafetensorsBytes("{\"t\":{},\"t\":{}}"), "JSON_DUPLICATE_KEY"},
                      Bad{"same name escaped", SafetensorsBytes("{\"t\":{},\"\\u0074\":{}}"), "JSON_DUPLICATE_KEY"},
                      Bad{"same field twice", One("{\"dtype\":\"U8\",\"dtype\":\"U8\"}", ""), "JSON_DUPLICATE_KEY"},
                      Bad{"same metadata twice", SafetensorsBytes("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}"),
                          "JSON_DUPLICATE_KEY"}));

INSTANTIATE_TEST_SUITE_P(
    Entries, BadSafetensors,
    ::testing::Values(
        Bad{"not an object", One("1", ""), "SAFETENSORS_HEADER_INVALID"},
        Bad{"empty entry", One("{}", ""), "SAFETENSORS_HEADER_INVALID"},
        Bad{"no offsets", One("{\"dtype\":\"U8\",\"shape\":[]}", ""), "SAFETENSORS_HEADER_INVALID"},
        Bad{"extra field", One("{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1],\"x\":0}", "x"),
            "SAFETENSORS_HEADER_INVALID"},
        Bad{"another field", One("{\"dtype\":\"U8\",\"shape\":[],\"offsets\":[0,1]}", "x"),
            "SAFETENSORS_HEADER_INVALID"},
        Bad{"dtype is a number", One(Entry("8", "[1]", "[0,1]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"unknown dtype", One(Entry("\"F4\"", "[1]", "[0,1]"), "x"), "SAFETENSORS_DTYPE_UNKNOWN"},
        Bad{"dtype in small letters", One(Entry("\"u8\"", "[1]", "[0,1]"), "x"), "SAFETENSORS_DTYPE_UNKNOWN"},
        Bad{"shape is a number", One(Entry("\"U8\"", "1", "[0,1]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"negative dimension", One(Entry("\"U8\"", "[-1]", "[0,1]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"two negative dimensions", One(Entry("\"U8\"", "[-1,-1]", "[0,1]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"float dimension", One(Entry("\"U8\"", "[1.0]", "[0,1]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"exponent dimension", One(Entry("\"U8\"", "[1e0]", "[0,1]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"text dimension", One(Entry("\"U8\"", "[\"1\"]", "[0,1]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"true dimension", One(Entry("\"U8\"", "[true]", "[0,1]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"dimension 2^63", One(Entry("\"U8\"", "[9223372036854775808]", "[0,1]"), "x"),
            "SAFETENSORS_HEADER_INVALID"},
        Bad{"dimension above 2^64", One(Entry("\"U8\"", "[18446744073709551617]", "[0,1]"), "x"),
            "SAFETENSORS_HEADER_INVALID"},
        // 2^32 · 2^32 = 2^64 wraps to 0, and 2^62 · 8 bytes wraps to 0.
        Bad{"product wraps", One(Entry("\"U8\"", "[4294967296,4294967296]", "[0,0]"), ""),
            "SAFETENSORS_SHAPE_OVERFLOW"},
        Bad{"bytes wrap", One(Entry("\"F64\"", "[4611686018427387904]", "[0,0]"), ""), "SAFETENSORS_SHAPE_OVERFLOW"},
        Bad{"product beyond 2^63", One(Entry("\"U8\"", "[9223372036854775807,2]", "[0,1]"), "x"),
            "SAFETENSORS_SHAPE_OVERFLOW"},
        Bad{"one offset", One(Entry("\"U8\"", "[1]", "[0]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"three offsets", One(Entry("\"U8\"", "[1]", "[0,1,2]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"negative offset", One(Entry("\"U8\"", "[1]", "[-1,0]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"float offset", One(Entry("\"U8\"", "[1]", "[0.0,1]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"huge offset", One(Entry("\"U8\"", "[1]", "[0,18446744073709551615]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"falling offsets", One(Entry("\"U8\"", "[1]", "[1,0]"), "x"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"range too short", One(Entry("\"F32\"", "[1]", "[0,3]"), "xxx"), "SAFETENSORS_RANGE_MISMATCH"},
        Bad{"range too long", One(Entry("\"U8\"", "[1]", "[0,2]"), "xx"), "SAFETENSORS_RANGE_MISMATCH"},
        Bad{"scalar without bytes", One(Entry("\"U8\"", "[]", "[0,0]"), ""), "SAFETENSORS_RANGE_MISMATCH"},
        Bad{"metadata is a list", SafetensorsBytes("{\"__metadata__\":[]}"), "SAFETENSORS_HEADER_INVALID"},
        Bad{"metadata holds a number", SafetensorsBytes("{\"__metadata__\":{\"a\":1}}"),
            "SAFETENSORS_HEADER_INVALID"}));

INSTANTIATE_TEST_SUITE_P(
    Cover, BadSafetensors,
    ::testing::Values(Bad{"past the end", Ranges({{0, 4}}, 3), "SAFETENSORS_PAST_END"},
                      Bad{"second past the end", Ranges({{0, 2}, {2, 9}}, 8), "SAFETENSORS_PAST_END"},
                      Bad{"far past the end",
                          One(Entry("\"U8\"", "[1]", "[9223372036854775806,9223372036854775807]"), "x"),
                          "SAFETENSORS_PAST_END"},
                      Bad{"overlap", Ranges({{0, 4}, {3, 8}}, 8), "SAFETENSORS_OVERLAP"},
                      Bad{"the same range", Ranges({{0, 4}, {0, 4}}, 4), "SAFETENSORS_OVERLAP"},
                      Bad{"nothing inside another", Ranges({{0, 4}, {2, 2}}, 4), "SAFETENSORS_OVERLAP"},
                      Bad{"hole at the start", Ranges({{1, 4}}, 4), "SAFETENSORS_HOLE"},
                      Bad{"hole between", Ranges({{0, 1}, {2, 4}}, 4), "SAFETENSORS_HOLE"},
                      Bad{"hole before nothing", Ranges({{0, 1}, {2, 2}}, 2), "SAFETENSORS_HOLE"},
                      Bad{"trailing byte", Ranges({{0, 3}}, 4), "SAFETENSORS_TRAILING_BYTES"},
                      Bad{"data without tensors", SafetensorsBytes("{}", "x"), "SAFETENSORS_TRAILING_BYTES"}));

TEST(Safetensors, ErrorsNameTensorAndByte) {
  const auto overlap = GetErrorDetail(Open(Ranges({{0, 4}, {3, 8}}, 8)));
  ASSERT_TRUE(overlap.has_value());
  EXPECT_EQ(overlap->metadata.at("tensor"), "b");
  EXPECT_EQ(overlap->metadata.at("other"), "a");
  EXPECT_EQ(overlap->metadata.at("offset"), "3");
  const auto past = GetErrorDetail(Open(Ranges({{0, 4}}, 3)));
  ASSERT_TRUE(past.has_value());
  EXPECT_EQ(past->metadata.at("end"), "4");
  EXPECT_EQ(past->metadata.at("available"), "3");
}

TEST(Safetensors, LongHostileNamesAreCutAndStayText) {
  // 199 letters, then a character of two bytes that the cut at 200 bytes splits.
  const std::string name = std::string(199, 'n') + "\u00e4" + std::string(100000, 'n');
  const absl::Status status = Open(SafetensorsBytes("{\"" + name + "\":1}"));
  EXPECT_THAT(status, HasReason("SAFETENSORS_HEADER_INVALID"));
  EXPECT_LT(status.message().size(), 1000u);
  EXPECT_EQ(GetErrorDetail(status)->metadata.at("tensor"), std::string(199, 'n') + "?");
}

TEST(Safetensors, AMissingFileIsTheMachinerysFault) {
  EXPECT_THAT(SafetensorsFile::Open(std::string("/nonexistent/x"), "x"), HasReason("FILE_UNREADABLE"));
}

}  // namespace
}  // namespace bitwright::worker
