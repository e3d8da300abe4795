#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"
#include "workers/chat/chat_template.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

absl::StatusOr<std::string> Rendered(const std::string& source, const json& document, const json& tokens) {
  ChatSettings settings{.source = source};
  for (const auto& item : tokens.items()) settings.tokens[item.key()] = item.value();
  absl::StatusOr<ChatTemplate> parsed = ChatTemplate::Parse(settings);
  if (!parsed.ok()) return parsed.status();
  return parsed->Render(document.dump());
}

// tests/golden/chat/make.py says how the cases were made.
TEST(GoldenChat, RendersWhatTransformersRenders) {
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(SourcePath("tests/golden/chat/cases.json")));
  const nlohmann::ordered_json golden = nlohmann::ordered_json::parse(text);
  int rendered = 0, refused = 0;
  for (const auto& item : golden.at("cases")) {
    SCOPED_TRACE(item.at("name").get<std::string>() + ": " + item.at("template").get<std::string>().substr(0, 160));
    ChatSettings settings{.source = item.at("template")};
    for (const auto& token : golden.at("tokens").items()) settings.tokens[token.key()] = token.value();
    const absl::StatusOr<ChatTemplate> parsed = ChatTemplate::Parse(settings);
    const absl::StatusOr<std::string> result =
        parsed.ok() ? parsed->Render(item.at("document").dump()) : absl::StatusOr<std::string>(parsed.status());
    if (item.contains("fails")) {
      ++refused;
      EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument));
      continue;
    }
    ++rendered;
    EXPECT_THAT(result, IsOk());
    EXPECT_EQ(result.value_or(""), item.at("text").get<std::string>());
  }
  EXPECT_GE(rendered, 140);
  EXPECT_GE(refused, 25);
}

TEST(GoldenChat, ErrorsNameTheLine) {
  const auto result = Rendered("a\nb\n{{ raise_exception('only users') }}", {{"messages", json::array()}}, {});
  EXPECT_THAT(result, HasReason("CHAT_TEMPLATE_FAILED"));
  EXPECT_EQ(GetErrorDetail(result.status())->metadata.at("line"), "3");
  EXPECT_THAT(std::string(result.status().message()), ::testing::HasSubstr("only users"));
  EXPECT_THAT(Rendered("\n\n{% include 'x' %}", {}, {}), HasReason("CHAT_TEMPLATE_UNSUPPORTED"));
  EXPECT_THAT(Rendered("{{ 1 | wordwrap }}", {}, {}), HasReason("CHAT_TEMPLATE_UNSUPPORTED"));
  EXPECT_THAT(Rendered("{% if %}", {}, {}), HasReason("CHAT_TEMPLATE_INVALID"));
}

// A result must not depend on the day.
TEST(GoldenChat, ThereIsNoClock) {
  const auto text = Rendered("{% if strftime_now is defined %}day{% else %}none{% endif %}", {}, {});
  ASSERT_THAT(text, IsOk());
  EXPECT_EQ(*text, "none");
}

}  // namespace
}  // namespace bitwright::worker
