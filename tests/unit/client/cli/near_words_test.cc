#include "client/cli/near_words.h"

#include <gtest/gtest.h>

namespace bitwright::client {
namespace {

TEST(NearWords, CountsSlipsOfTheKeyboard) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("abc", ""), 3);
  EXPECT_EQ(EditDistance("budget", "budget"), 0);
  EXPECT_EQ(EditDistance("budegt", "budget"), 1);  // two neighbours swapped
  EXPECT_EQ(EditDistance("budge", "budget"), 1);
  EXPECT_EQ(EditDistance("bugdet", "budget"), 1);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(NearWords, NearestFirstAndNothingFar) {
  const std::vector<std::string> words = {"quantize", "plan", "model", "job", "recipe"};
  EXPECT_EQ(NearWords("quantise", words), std::vector<std::string>{"quantize"});
  EXPECT_EQ(NearWords("quant", words), std::vector<std::string>{"quantize"});
  EXPECT_EQ(NearWords("jobs", words), std::vector<std::string>{"job"});
  EXPECT_EQ(NearWords("Plan", words), std::vector<std::string>{"plan"});
  EXPECT_TRUE(NearWords("frobnicate", words).empty());
  EXPECT_EQ(NearWords("--modle", words), std::vector<std::string>{"model"});
  EXPECT_EQ(DidYouMean("quantise", words), "; did you mean 'quantize'?");
  EXPECT_EQ(DidYouMean("frobnicate", words), "");
}

}  // namespace
}  // namespace bitwright::client
