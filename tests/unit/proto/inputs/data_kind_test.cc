#include "proto/inputs/data_kind.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

using v1::Data;

std::string Repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

void ExpectKind(Data::Kind kind, std::string_view name, std::string_view head) {
  const auto found = RecognizeData(name, head);
  ASSERT_THAT(found, IsOk()) << name << ": " << head.substr(0, 60);
  EXPECT_EQ(*found, kind) << name << ": " << head.substr(0, 60);
}

TEST(DataKind, Prose) {
  for (const std::string text :
       {"Once upon a time.\n", "\xef\xbb\xbfWith a mark.\n", "[link](x) and text\n", "{\\rtf1 not JSON}\n",
        "[1] A footnote, 2 lines\n", "int main() {\n  return 0;\n}\n", "1, 2, 3\n", "日本語のテキスト\n"}) {
    ExpectKind(Data::TEXT, "a.txt", text);
  }
  ExpectKind(Data::TEXT, "a.txt", Repeated("One, two, and three sheep.\nA line without.\n", 20));
}

TEST(DataKind, TokenIdsUnderAnyName) {
  for (const char* name : {"a.ids.jsonl", "a.txt", "data", "a.jsonl"}) {
    ExpectKind(Data::TOKEN_IDS_JSONL, name, "[1, 2, 3]\n[4, 5, 6]\n");
    ExpectKind(Data::TOKEN_IDS_JSONL, name, "\xef\xbb\xbf[1,2]\n");
  }
  ExpectKind(Data::TOKEN_IDS_JSONL, "long", Repeated("[", 1) + Repeated("12345, ", 20000));
}

TEST(DataKind, DocumentsUnderAnyName) {
  for (const char* name : {"a.jsonl", "a.txt", "data.json", "a.ndjson"}) {
    for (const char* line :
         {R"({"text": "a"})", R"({"id": 1, "content": "a"})", R"({"messages": [{"role": "user", "content": "a"}]})",
          R"({"prompt": "a", "completion": "b"})"}) {
      ExpectKind(Data::DOCUMENTS_JSONL, name, Repeated(line + std::string("\n"), 3));
    }
  }
  ExpectKind(Data::DOCUMENTS_JSONL, "long.jsonl", R"({"text": ")" + std::string(kDataHeadBytes, 'a'));
  // A line that the head cuts off says nothing of the lines before it.
  ExpectKind(Data::DOCUMENTS_JSONL, "a.jsonl",
             Repeated("{\"text\": \"0123456789\"}\n", 4000).substr(0, kDataHeadBytes));
}

TEST(DataKind, WhatIsNotTextIsNamed) {
  const std::pair<std::string, const char*> files[] = {
      {"PAR1\x15\x04", "parquet"},
      {"\x1f\x8b\x08", "gzip"},
      {std::string("PK\x03\x04", 4), "ZIP"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"},
      {std::string("\xff\xfe\x41\x00", 4), "UTF-16"},
      {std::string("text\0text", 9), "binary"},
      {"GGUF\x03", "GGUF"},
  };
  for (const auto& [head, what] : files) {
    const auto kind = RecognizeData("file", head);
    EXPECT_THAT(kind, HasReason("DATA_NOT_TEXT"));
    EXPECT_THAT(std::string(kind.status().message()), ::testing::HasSubstr(what));
  }
  const auto latin = RecognizeData("latin.txt", "caf\xe9 au lait, and more");
  EXPECT_THAT(latin, HasReason("DATA_NOT_UTF8"));
  EXPECT_EQ(GetErrorDetail(latin.status())->metadata.at("offset"), "3");
}

TEST(DataKind, ACharacterThatTheHeadCutsIsNoFault) {
  std::string head = Repeated("é", kDataHeadBytes);
  ExpectKind(Data::TEXT, "a.txt", "a" + head.substr(0, kDataHeadBytes - 1));
}

TEST(DataKind, TablesAndOtherJsonAreAskedAbout) {
  EXPECT_THAT(RecognizeData("a.csv", "id,text\n1,hello\n"), HasReason("DATA_IS_TABLE"));
  EXPECT_THAT(RecognizeData("a.tsv", "id\ttext\n1\thello\n"), HasReason("DATA_IS_TABLE"));
  EXPECT_THAT(RecognizeData("a.txt", Repeated("1\tb\tc\n", 12)), HasReason("DATA_IS_TABLE"));
  EXPECT_THAT(RecognizeData("a.txt", Repeated("1,b,c\n", 12)), HasReason("DATA_IS_TABLE"));
  EXPECT_THAT(RecognizeData("a.json", "{\n  \"text\": \"a\"\n}\n"), HasReason("DATA_IS_JSON"));
  EXPECT_THAT(RecognizeData("a.txt", "[{\"text\": \"a\"}]"), HasReason("DATA_IS_JSON"));
  EXPECT_THAT(RecognizeData("a.jsonl", "{\"title\": \"a\"}\n"), HasReason("DATA_IS_JSON"));
  EXPECT_THAT(RecognizeData("a.jsonl", "{\"text\": \"a\"}\nrest\n"), HasReason("DATA_IS_JSON"));
  EXPECT_THAT(RecognizeData("a.jsonl", "plain words\n"), HasReason("DATA_IS_JSON"));
  const auto table = RecognizeData("a.csv", "id,text\n1,hello\n");
  EXPECT_THAT(std::string(table.status().message()), ::testing::HasSubstr("--data-kind text"));
}

TEST(DataKind, WordsForPeople) {
  for (const Data::Kind kind : {Data::TEXT, Data::DOCUMENTS_JSONL, Data::TOKEN_IDS_JSONL}) {
    EXPECT_EQ(ParseDataKind(DataKindName(kind)), kind);
  }
  EXPECT_EQ(ParseDataKind("parquet"), Data::KIND_UNSPECIFIED);
}

}  // namespace
}  // namespace bitwright
