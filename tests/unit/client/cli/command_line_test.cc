#include <gtest/gtest.h>

#include "client/cli/command_line.h"

namespace bitwright::client {
namespace {

const std::vector<std::string> kQuantize = {"quantize", "DIR",          "--budget",    "4.25bpw", "--calibration",
                                            "c.txt",    "--evaluation", "e.ids.jsonl", "-o",      "OUT"};

std::vector<std::string> With(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Options Parse(const std::vector<std::string>& arguments) {
  const auto parsed = ParseCommandLine(arguments);
  if (const auto* end = std::get_if<ParseEnd>(&parsed)) {
    ADD_FAILURE() << end->err;
    return {};
  }
  return std::get<Options>(parsed);
}

TEST(CommandLine, QuantizeHasTheDocumentedDefaults) {
  const Options options = Parse(kQuantize);
  EXPECT_EQ(options.command, Command::kQuantize);
  EXPECT_EQ(options.job.window, 512);
  EXPECT_EQ(options.job.calibration_tokens, 65536);
  EXPECT_EQ(options.job.evaluation_tokens, 32768);
  EXPECT_FALSE(options.job.add_special_tokens);
  EXPECT_EQ(options.job.recipe, "mixed-gptq");
  EXPECT_EQ(options.server, "");
  EXPECT_EQ(options.out, "OUT");
}

TEST(CommandLine, GlobalFlagsStandAnywhere) {
  for (const auto& arguments : {With({"--json", "-q", "--no-color", "--server", "h:1"}, kQuantize),
                                With(kQuantize, {"--json", "-q", "--no-color", "--server", "h:1"})}) {
    const Options options = Parse(arguments);
    EXPECT_TRUE(options.json && options.quiet && options.no_color);
    EXPECT_EQ(options.server, "h:1");
  }
  EXPECT_TRUE(Parse({"job", "list", "--json"}).json);
}

TEST(CommandLine, EveryCommandIsKnown) {
  const std::pair<std::vector<std::string>, Command> cases[] = {
      {{"model", "upload", "D"}, Command::kModelUpload},
      {{"model", "list"}, Command::kModelList},
      {{"model", "show", "m"}, Command::kModelShow},
      {{"model", "delete", "m"}, Command::kModelDelete},
      {{"job", "submit", "m", "--budget", "3bpw", "--calibration", "c", "--evaluation", "e"}, Command::kJobSubmit},
      {{"job", "list", "--state", "running"}, Command::kJobList},
      {{"job", "show", "j"}, Command::kJobShow},
      {{"job", "watch", "j"}, Command::kJobWatch},
      {{"job", "cancel", "j"}, Command::kJobCancel},
      {{"job", "report", "j"}, Command::kJobReport},
      {{"job", "delete", "j"}, Command::kJobDelete},
      {{"artifact", "download", "j", "-o", "O"}, Command::kArtifactDownload},
      {{"plan", "D", "--budget", "3bpw"}, Command::kPlan},
      {{"recipe", "list"}, Command::kRecipeList},
      {{"recipe", "show", "r"}, Command::kRecipeShow},
      {{"worker", "list"}, Command::kWorkerList},
  };
  for (const auto& [arguments, command] : cases) EXPECT_EQ(Parse(arguments).command, command) << arguments[0];
}

TEST(CommandLine, WrongArgumentsEndWithUsage) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{}, "command is missing"},
      {{"quantise"}, "quantise"},
      {{"quantize", "D"}, "--budget"},
      {With(kQuantize, {"--window", "1"}), "--window"},
      {With(kQuantize, {"--window", "x"}), "--window"},
      {With(kQuantize, {"--calibration-tokens", "0"}), "--calibration-tokens"},
      {With(kQuantize, {"--threads", "0"}), "--threads"},
      {With(kQuantize, {"--frobnicate"}), "--frobnicate"},
      {With(kQuantize, {"--priority", "11"}), "--priority"},
      {{"job", "list", "--state", "lost"}, "--state"},
      {{"job"}, "command is missing"},
      {{"job", "lost"}, "lost"},
  };
  for (const auto& [arguments, what] : cases) {
    const auto parsed = ParseCommandLine(arguments);
    const auto* end = std::get_if<ParseEnd>(&parsed);
    ASSERT_NE(end, nullptr) << what;
    EXPECT_EQ(end->code, ExitCode::kUsage) << what;
    EXPECT_NE(end->err.find(what), std::string::npos) << end->err;
    EXPECT_EQ(end->out, "");
  }
}

TEST(CommandLine, HelpNamesTheExitCodes) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"quantize", "--help"}, {"job", "watch", "--help"}}) {
    const auto parsed = ParseCommandLine(arguments);
    const auto* end = std::get_if<ParseEnd>(&parsed);
    ASSERT_NE(end, nullptr);
    EXPECT_EQ(end->code, ExitCode::kOk);
    EXPECT_NE(end->out.find(kExitCodeHelp), std::string::npos);
  }
}

}  // namespace
}  // namespace bitwright::client
