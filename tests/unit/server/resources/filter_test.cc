#include "server/resources/filter.h"

#include <map>

#include "tests/support/status_matchers.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kTexts[] = {"name", "display_name"};
constexpr std::string_view kStates[] = {"RUNNING", "FAILED"};
constexpr FilterFields kFields{.texts = kTexts, .states = kStates, .labels = true};

absl::StatusOr<Filter> Parse(const std::string& text) { return Filter::Parse(text, kFields); }

// Whether the filter lets this row through.
bool Lets(const std::string& text, absl::Time create_time = absl::UnixEpoch()) {
  const std::map<std::string, std::string> row = {
      {"name", "jobs/3f1"}, {"display_name", "a \"b\" *"}, {"state", "RUNNING"}, {"labels.team", "nlp"}};
  const auto filter = Parse(text);
  EXPECT_THAT(filter, IsOk()) << text;
  return filter->Matches(
      [&](const std::string& field) {
        const auto found = row.find(field);
        return std::vector{found == row.end() ? std::string() : found->second};
      },
      create_time);
}

TEST(Filter, ConditionsMustAllHold) {
  EXPECT_TRUE(Lets(""));
  EXPECT_TRUE(Lets("  state = RUNNING  "));
  EXPECT_FALSE(Lets("state=FAILED"));
  EXPECT_TRUE(Lets("state != FAILED AND labels.team = \"nlp\" AND name = \"jobs/3f*\""));
  EXPECT_FALSE(Lets("state = RUNNING AND labels.team = \"vision\""));
  EXPECT_TRUE(Lets("name = jobs/3f1"));
  EXPECT_FALSE(Lets("name = jobs/3f"));
  EXPECT_FALSE(Lets("name != jobs/3*"));
  EXPECT_TRUE(Lets("labels.other = \"\"")) << "a label that is not there is empty";
}

TEST(Filter, AQuotedValueMayHoldAnything) {
  EXPECT_TRUE(Lets(R"(display_name = "a \"b\" \*")"));
  EXPECT_TRUE(Lets(R"(display_name = "a \"b*")"));
  EXPECT_FALSE(Lets(R"(display_name = "a \"b\*")")) << "an escaped star is a star";
  EXPECT_FALSE(Lets(R"(display_name = " AND state = RUNNING")"));
}

TEST(Filter, TimesAreCompared) {
  const absl::Time noon = absl::FromUnixSeconds(1'700'000'000);  // 2023-11-14T22:13:20Z
  EXPECT_TRUE(Lets("create_time >= 2023-11-14T22:13:20Z", noon));
  EXPECT_TRUE(Lets("create_time <= \"2023-11-15T00:13:20+02:00\"", noon));
  EXPECT_FALSE(Lets("create_time > 2023-11-14T22:13:20Z", noon));
  EXPECT_FALSE(Lets("create_time < 2023-11-14T22:13:20Z", noon));
  EXPECT_TRUE(Lets("create_time > 2023-11-14T22:13:19Z AND create_time < 2023-11-14T22:13:21Z", noon));
}

TEST(Filter, WrongOnesAreRefusedAtTheirPosition) {
  const std::pair<const char*, const char*> wrong[] = {
      {"size = 3", "position 1: 'size' is no field"},
      {"labels. = x", "position 1: 'labels.' is no field"},
      {"state RUNNING", "position 7: an operator"},
      {"state = ", "position 9: a value"},
      {"state = SLEEPING", "position 9: a state is expected: RUNNING, FAILED"},
      {"state = R*", "position 9: a state"},
      {"state < RUNNING", "position 7: only create_time"},
      {"create_time > yesterday", "position 15: a time"},
      {"create_time = 2023*", "position 15: a time"},
      {"name = a name = b", "position 10: AND is expected"},
      {"name = a OR name = b", "position 10: AND is expected"},
      {"name = a AND", "position 10: a condition is expected after AND"},
      {"name = \"a", "position 8: this quotation mark"},
      {"(name = a)", "position 1: a field is expected: name, display_name, state, create_time, labels.KEY"},
  };
  for (const auto& [text, expected] : wrong) {
    const auto filter = Parse(text);
    EXPECT_THAT(filter, HasReason("FILTER_INVALID")) << text;
    EXPECT_THAT(std::string(filter.status().message()), HasSubstr(expected)) << text;
  }
  EXPECT_THAT(Parse("name = \"" + std::string(2048, 'x') + "\""), HasReason("FILTER_INVALID"));
}

TEST(Filter, NamesAndStatesAreKnownBeforehand) {
  EXPECT_EQ(Parse("state = FAILED AND name = \"jobs/3f*\"")->NamePrefix(), "jobs/3f");
  EXPECT_EQ(Parse("state = FAILED")->State(), "FAILED");
  EXPECT_EQ(Parse("state != FAILED AND name != x")->NamePrefix(), "");
  EXPECT_EQ(Parse("state != FAILED")->State(), "");
}

TEST(Filter, OrdersAreTwo) {
  EXPECT_EQ(*ParseOrder(""), false);
  EXPECT_EQ(*ParseOrder("create_time desc"), false);
  EXPECT_EQ(*ParseOrder("create_time"), true);
  EXPECT_THAT(ParseOrder("name"), HasReason("ORDER_INVALID"));
}

}  // namespace
}  // namespace bitwright::server
