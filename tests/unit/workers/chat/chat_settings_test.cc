#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "workers/chat/chat_template.h"

namespace bitwright::worker {
namespace {

TEST(ChatSettings, TheFileOfItsOwnWins) {
  ASSERT_OK_AND_ASSIGN(const ChatSettings both,
                       ReadChatSettings(R"({"chat_template": "config"})", "file", R"({"chat_template": "other"})"));
  EXPECT_EQ(both.source, "file");
  ASSERT_OK_AND_ASSIGN(const ChatSettings config,
                       ReadChatSettings(R"({"chat_template": "config"})", "", R"({"chat_template": "other"})"));
  EXPECT_EQ(config.source, "config");
  ASSERT_OK_AND_ASSIGN(const ChatSettings other, ReadChatSettings("{}", "", R"({"chat_template": "other"})"));
  EXPECT_EQ(other.source, "other");
  ASSERT_OK_AND_ASSIGN(const ChatSettings none, ReadChatSettings("", "", ""));
  EXPECT_EQ(none.source, "");
  EXPECT_THAT(ChatTemplate::Parse(none), HasReason("CHAT_TEMPLATE_MISSING"));
}

TEST(ChatSettings, OfNamedTemplatesTheDefault) {
  ASSERT_OK_AND_ASSIGN(const ChatSettings settings,
                       ReadChatSettings(R"({"chat_template": [{"name": "rag", "template": "r"},
                                                              {"name": "default", "template": "d"}]})",
                                        "", ""));
  EXPECT_EQ(settings.source, "d");
  EXPECT_THAT(ReadChatSettings(R"({"chat_template": [{"name": "rag", "template": "r"}]})", "", ""),
              HasReason("CHAT_TEMPLATE_INVALID"));
  EXPECT_THAT(ReadChatSettings(R"({"chat_template": 5})", "", ""), HasReason("CHAT_TEMPLATE_INVALID"));
}

TEST(ChatSettings, TokensAreTextsOrObjects) {
  ASSERT_OK_AND_ASSIGN(const ChatSettings settings,
                       ReadChatSettings(R"({"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false},
                                            "pad_token": null, "unk_token": 3})",
                                        "", ""));
  EXPECT_EQ(settings.tokens, (std::map<std::string, std::string>{{"bos_token", "<s>"}, {"eos_token", "</s>"}}));
}

}  // namespace
}  // namespace bitwright::worker
