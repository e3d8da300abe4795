#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "workers/chat/chat_template.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<std::string> Rendered(const std::string& source) {
  absl::StatusOr<ChatTemplate> parsed = ChatTemplate::Parse({.source = source});
  if (!parsed.ok()) return parsed.status();
  return parsed->Render(R"({"messages": []})");
}

std::string Repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(TemplateLimits, EndEveryTemplateThatWouldNot) {
  for (const std::string& source : {
           std::string("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"),
           std::string("{{ range(10000000) }}"),
           std::string("{{ 'x' * 100000000 }}"),
           std::string(
               "{% set ns = namespace(t='x') %}{% for i in range(64) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}"),
           std::string("{{ [0] * 10000000 }}"),
           std::string("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
           std::string("{% for i in range(1000000) %}0123456789abcdef0123456789abcdef{% endfor %}"),
           "{{ " + Repeated("(", 5000) + "1" + Repeated(")", 5000) + " }}",
           "{{ " + Repeated("- ", 5000) + "1 }}",
           "{{ " + Repeated("not ", 5000) + "1 }}",
           Repeated("{% if true %}", 5000) + Repeated("{% endif %}", 5000),
           "{% if 0 %}" + Repeated("{% elif 0 %}", 5000) + "{% endif %}",
       }) {
    EXPECT_THAT(Rendered(source), HasReason("CHAT_TEMPLATE_LIMIT")) << source.substr(0, 80);
  }
}

TEST(TemplateLimits, NumbersThatDoNotFitAreRefused) {
  EXPECT_THAT(Rendered("{{ 9223372036854775807 + 1 }}"), HasReason("CHAT_TEMPLATE_FAILED"));
  EXPECT_THAT(Rendered("{{ 3 ** 100 }}"), HasReason("CHAT_TEMPLATE_FAILED"));
  EXPECT_THAT(Rendered("{{ 99999999999999999999 }}"), HasReason("CHAT_TEMPLATE_INVALID"));
}

}  // namespace
}  // namespace bitwright::worker
