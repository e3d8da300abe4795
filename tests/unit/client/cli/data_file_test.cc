#include "client/cli/data_file.h"

#include "client/cli/labels.h"
#include "client/cli/sample_text.h"
#include "proto/base/utf8.h"
#include "proto/inputs/data_kind.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

class DataFileTest : public ::testing::Test {
 protected:
  absl::Status Check(const std::string& name, const std::string& text, const std::string& kind = "", int window = 16) {
    BITWRIGHT_EXPECT_OK(WriteWholeFile(dir_ / name, text));
    data_.Clear();
    return CheckDataFile({dir_ / name, dir_ / name, ""}, kind, window, &data_);
  }

  TempDir dir_;
  v1::Data data_;
};

TEST_F(DataFileTest, RecognizesKindsAndNamesTheFile) {
  EXPECT_THAT(Check("a.txt", "Some text that is long enough."), IsOk());
  EXPECT_EQ(data_.kind(), v1::Data::TEXT);
  EXPECT_EQ(data_.display_name(), "a.txt");
  EXPECT_THAT(Check("b.jsonl", "{\"text\": \"one\"}\n{\"text\": \"two\"}\n"), IsOk());
  EXPECT_EQ(data_.kind(), v1::Data::DOCUMENTS_JSONL);
  EXPECT_THAT(Check("ids.txt", "[1, 2, 3, 4, 5, 6, 7, 8]\n"), IsOk());
  EXPECT_EQ(data_.kind(), v1::Data::TOKEN_IDS_JSONL) << "whatever its name";
}

TEST_F(DataFileTest, AKindThatIsStatedHolds) {
  EXPECT_THAT(Check("t.csv", "a,b,c and some more text"), HasReason("DATA_IS_TABLE"));
  EXPECT_THAT(Check("t.csv", "a,b,c and some more text", "text"), IsOk());
  EXPECT_EQ(data_.kind(), v1::Data::TEXT);
}

TEST_F(DataFileTest, WhatCannotFillAWindowIsTooShort) {
  EXPECT_THAT(Check("empty", ""), HasReason("DATA_TOO_SHORT"));
  EXPECT_THAT(Check("short", "abc", "", 512), HasReason("DATA_TOO_SHORT"));
  EXPECT_THAT(Check("enough", std::string(511, 'a'), "", 512), IsOk()) << "the service knows the tokenizer";
}

TEST_F(DataFileTest, WhatCannotBeReadIsNamed) {
  const absl::Status missing = CheckDataFile({dir_ / "no", "no", ""}, "", 16, &data_);
  EXPECT_THAT(missing, HasReason("FILE_UNREADABLE"));
  EXPECT_THAT(CheckDataFile({dir_.path(), "dir", ""}, "", 16, &data_), HasReason("FILE_UNREADABLE"));
}

TEST_F(DataFileTest, TheSampleIsATextOfManyKindsInItself) {
  ASSERT_OK_AND_ASSIGN(const auto sample, MakeSampleText());
  EXPECT_THAT(CheckDataFile({sample->path(), "sample", std::string(kSampleName)}, "", 512, &data_), IsOk());
  EXPECT_EQ(data_.kind(), v1::Data::TEXT);
  EXPECT_EQ(data_.display_name(), kSampleName);
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadWholeFile(SourcePath("deploy/sample/mixed.txt")));
  EXPECT_EQ(SampleTextBytes(), text);
  EXPECT_EQ(ValidUtf8Prefix(text), text.size());
  EXPECT_GE(text.size(), 64'000u);
  EXPECT_LE(text.size(), 220'000u);
}

TEST(Labels, HaveOneForm) {
  const std::vector<std::string> good = {"team=nlp", "run.no_1=a = b", "empty="};
  ASSERT_OK_AND_ASSIGN(const auto labels, ParseLabels(good));
  EXPECT_EQ(labels.at("run.no_1"), "a = b");
  EXPECT_EQ(labels.at("empty"), "");
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"team"},
                                              {"=x"},
                                              {"Team=x"},
                                              {"a b=x"},
                                              {"a=1", "a=2"},
                                              {std::string(64, 'k') + "=x"},
                                              {"k=" + std::string(129, 'v')},
                                              {"k=\xff"}}) {
    EXPECT_THAT(ParseLabels(bad), HasReason("LABEL_INVALID")) << bad[0];
  }
}

}  // namespace
}  // namespace bitwright::client
