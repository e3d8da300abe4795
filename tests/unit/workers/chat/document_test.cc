#include "workers/chat/document.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

constexpr char kTurns[] = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{{ eos_token }}";

DocumentReader Reader() { return DocumentReader({.source = kTurns, .tokens = {{"eos_token", "</s>"}}}); }

TEST(Document, EachFormHasItsText) {
  DocumentReader reader = Reader();
  const std::pair<const char*, const char*> forms[] = {
      {R"({"text": "a\nb", "content": "other"})", "a\nb"},
      {R"({"content": "c"})", "c"},
      {R"({"prompt": "2+2=", "completion": "4"})", "2+2=4"},
      {R"({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]})",
       "<user>hi<assistant>yes</s>"},
  };
  for (const auto& [json, text] : forms) {
    ASSERT_OK_AND_ASSIGN(const DocumentReader::Document document, reader.Read(json, 1));
    EXPECT_EQ(document.text, text);
    EXPECT_EQ(document.is_chat, std::string_view(json).find("messages") != std::string_view::npos);
  }
}

TEST(Document, OthersAreRefusedByTheirLine) {
  DocumentReader reader = Reader();
  for (const char* json : {"", "text", "[1]", "3", R"({"text": 5})", R"({"prompt": "a"})", R"({"text": "a")",
                           R"({"messages": "a"})", R"({"title": "a"})"}) {
    const auto document = reader.Read(json, 17);
    EXPECT_THAT(document, HasReason("DATA_INVALID")) << json;
    EXPECT_EQ(GetErrorDetail(document.status())->metadata.at("line"), "17");
  }
}

TEST(Document, ConversationsNeedATemplate) {
  DocumentReader reader{ChatSettings{}};
  const char* chat = R"({"messages": [{"role": "user", "content": "hi"}]})";
  const auto document = reader.Read(chat, 4);
  EXPECT_THAT(document, HasReason("CHAT_TEMPLATE_MISSING"));
  EXPECT_THAT(std::string(document.status().message()), ::testing::HasSubstr("line 4"));
  EXPECT_THAT(reader.Read(R"({"text": "a"})", 5), IsOk());
}

}  // namespace
}  // namespace bitwright::worker
