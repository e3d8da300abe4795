#include "client/cli/completion.h"

#include <gmock/gmock.h>

namespace bitwright::client {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> Words(const std::vector<std::string>& typed) {
  std::vector<std::string> words;
  for (const Suggestion& suggestion : Complete(typed).words) words.push_back(suggestion.word);
  return words;
}

TEST(Completion, OfCommandsIsWhatBeginsSo) {
  EXPECT_THAT(Words({""}), AllOf(Contains("quantize"), Contains("job"), Contains("completion"),
                                 Not(Contains("complete")), Not(Contains("--json"))));
  EXPECT_THAT(Words({}), Contains("quantize"));
  EXPECT_THAT(Words({"qu"}), ElementsAre("quantize"));
  EXPECT_THAT(Words({"job", "c"}), ElementsAre("cancel", "clone"));
  EXPECT_THAT(Words({"--server", "job", "jo"}), ElementsAre("job")) << "the first is the address";
  EXPECT_THAT(Words({"nonsense"}), IsEmpty());
}

TEST(Completion, OfOptionsHasThoseOfAllCommandsToo) {
  const std::vector<std::string> words = Words({"job", "watch", "--"});
  EXPECT_THAT(words, AllOf(Contains("--server"), Contains("--json"), Not(Contains("--budget"))));
  EXPECT_EQ(std::count(words.begin(), words.end(), "--help"), 1);
  EXPECT_THAT(Words({"quantize", "--max"}), ElementsAre("--max-kld", "--max-ppl-rise"));
  for (const Suggestion& suggestion : Complete({"quantize", "--"}).words) EXPECT_NE(suggestion.help, "");
}

TEST(Completion, OfValuesIsWhatTheOptionTakes) {
  EXPECT_THAT(Words({"quantize", "m", "--target", "g"}), ElementsAre("gguf", "gptq"));
  EXPECT_THAT(Words({"quantize", "m", "--target=gg"}), ElementsAre("--target=gguf"));
  EXPECT_THAT(Words({"job", "list", "--order", ""}), ElementsAre("newest", "oldest"));
  EXPECT_THAT(Words({"completion", ""}), ElementsAre("bash", "fish", "zsh"));
  EXPECT_THAT(Words({"quantize", "--consumer", "v"}), ElementsAre("vllm-blackwell", "vllm-newest", "vllm"));
  EXPECT_THAT(Words({"--json", "j"}), ElementsAre("job")) << "a flag takes none";
}

TEST(Completion, WhereAFileMayStandTheShellKnows) {
  EXPECT_TRUE(Complete({"quantize", ""}).files);
  EXPECT_TRUE(Complete({"quantize", "m", "--calibration", ""}).files);
  EXPECT_EQ(CompletionLines(Complete({"quantize", ""})), ":files\n");
  EXPECT_FALSE(Complete({"job", ""}).files);
  EXPECT_FALSE(Complete({"version", ""}).files);
}

TEST(Completion, EveryShellHasAScript) {
  for (const char* shell : kShells) EXPECT_NE(CompletionScript(shell), "") << shell;
  EXPECT_EQ(CompletionScript("csh"), "");
  EXPECT_EQ(CompletionLines({{{"job", "Jobs"}, {"gguf", ""}}, false}), "job\tJobs\ngguf\t\n");
}

}  // namespace
}  // namespace bitwright::client
