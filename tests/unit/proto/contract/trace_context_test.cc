#include "proto/contract/trace_context.h"

#include <gmock/gmock.h>

namespace bitwright {
namespace {

constexpr char kExample[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";  // of the specification

TEST(TraceContextTest, ReadsAndWritesTheExampleOfTheSpecification) {
  const auto context = ParseTraceParent(kExample);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace_id[0], 0x4b);
  EXPECT_EQ(context->trace_id[15], 0x36);
  EXPECT_EQ(context->span_id[1], 0xf0);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(TraceParentText(*context), kExample);
}

TEST(TraceContextTest, PassesOnTheFlagsThatItKnows) {
  using Case = std::pair<const char*, const char*>;
  for (const auto& [given, kept] : {Case("fe", "-02"), Case("ff", "-03"), Case("fd", "-01"), Case("00", "-00")}) {
    std::string text = kExample;
    text.replace(53, 2, given);
    const auto context = ParseTraceParent(text);
    ASSERT_TRUE(context.has_value());
    EXPECT_EQ(context->sampled, kept[2] == '1' || kept[2] == '3') << given;
    EXPECT_TRUE(TraceParentText(*context).ends_with(kept)) << given;
  }
}

TEST(TraceContextTest, OfALaterVersionTakesWhatThisOneHas) {
  for (const char* text : {"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                           "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what.may.come"}) {
    EXPECT_EQ(ParseTraceParent(text), ParseTraceParent(kExample)) << text;
  }
}

TEST(TraceContextTest, TakesNothingThatIsMalformed) {
  for (const char* text : {
           "",
           "00",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",        // short
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",      // version 00 has no more
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",      // likewise
           "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what",  // more, but no '-'
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",       // never a version
           "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",       // no digit
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",       // upper case
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",       // no trace
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",       // no span
           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
       }) {
    EXPECT_EQ(ParseTraceParent(text), std::nullopt) << text;
  }
}

TEST(TraceContextTest, KnowsAState) {
  for (const std::string& text : {std::string("congo=t61rcWkgMzE"), std::string("rojo=00f067aa0ba902b7, congo=t61 r/*"),
                                  std::string("fw529a3039@dt=FfwAAA,,a-b_c*d/e=1"), "k=" + std::string(256, 'v')}) {
    EXPECT_TRUE(IsTraceState(text)) << text;
  }
  std::string many;
  for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=v,";
  for (const std::string& text : {std::string(), std::string(","), std::string("congo"), std::string("=v"),
                                  std::string("Congo=v"), std::string("k=a=b"), std::string("k=\n1"), std::string("k="),
                                  std::string("a@b@c=1"), std::string("a@=1"), "k=" + std::string(257, 'v'), many,
                                  "k=" + std::string(250, 'v') + ",l=" + std::string(250, 'v') + ",m=vvvvvvv"}) {
    EXPECT_FALSE(IsTraceState(text)) << text;
  }
}

}  // namespace
}  // namespace bitwright
