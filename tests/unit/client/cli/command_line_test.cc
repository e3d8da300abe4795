#include "client/cli/command_line.h"

#include "tests/support/status_matchers.h"

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
    ADD_FAILURE() << end->error;
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

TEST(CommandLine, AccessStandsAnywhere) {
  const std::vector<std::string> access = {"--token-file", "t", "--tls-ca", "ca", "--tls-cert", "c", "--tls-key", "k"};
  for (const auto& arguments : {With(access, {"job", "list"}), With({"job", "list"}, access)}) {
    const Options options = Parse(arguments);
    EXPECT_EQ(options.access.token_file, "t");
    EXPECT_EQ(options.access.tls_ca, "ca");
    EXPECT_EQ(options.access.tls_cert, "c");
    EXPECT_EQ(options.access.tls_key, "k");
  }
}

TEST(CommandLine, ATokenHasANameATenantAndRoles) {
  const Options options =
      Parse({"token", "new", "--name", "ci-1", "--tenant", "nlp", "--role", "submitter,operator", "--role", "worker"});
  EXPECT_EQ(options.token.name, "ci-1");
  EXPECT_EQ(options.token.tenant, "nlp");
  EXPECT_EQ(options.token.roles, (std::vector<std::string>{"submitter", "operator", "worker"}));
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
      {{"job", "retry", "j"}, Command::kJobRetry},
      {{"job", "clone", "j", "--budget", "3bpw"}, Command::kJobClone},
      {{"job", "submit", "m", "--max-ppl-rise", "1%"}, Command::kJobSubmit},
      {{"job", "ls"}, Command::kJobList},
      {{"job", "rm", "j"}, Command::kJobDelete},
      {{"model", "rm", "m"}, Command::kModelDelete},
      {{"version"}, Command::kVersion},
      {{"context", "ls"}, Command::kContextList},
      {{"context", "set", "lab", "--server", "lab:7071"}, Command::kContextSet},
      {{"context", "use", "lab"}, Command::kContextUse},
      {{"context", "rm", "lab"}, Command::kContextDelete},
      {{"doctor", "my-model", "--recipe", "mixed-rtn"}, Command::kDoctor},
      {{"completion", "zsh"}, Command::kCompletion},
      {{"complete", "--", "job", "--", "wa"}, Command::kComplete},
      {{"plan", "D"}, Command::kPlan},
      {{"job", "delete", "j"}, Command::kJobDelete},
      {{"artifact", "download", "j", "-o", "O"}, Command::kArtifactDownload},
      {{"plan", "D", "--budget", "3bpw"}, Command::kPlan},
      {{"recipe", "list"}, Command::kRecipeList},
      {{"recipe", "show", "r"}, Command::kRecipeShow},
      {{"worker", "list"}, Command::kWorkerList},
      {{"token", "new", "--name", "a", "--tenant", "t", "--role", "worker"}, Command::kTokenNew},
  };
  for (const auto& [arguments, command] : cases) EXPECT_EQ(Parse(arguments).command, command) << arguments[0];
}

TEST(CommandLine, WrongArgumentsEndWithUsage) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{}, "command is missing"},
      {{"quantise"}, "unknown command 'quantise'; did you mean 'quantize'?"},
      {{"token", "new", "--name", "A", "--tenant", "t", "--role", "worker"}, "'A' is not 1 to 63 of a-z"},
      {{"token", "new", "--name", "a", "--tenant", "t", "--role", "root"}, "root not in"},
      {{"token", "new", "--name", "a", "--role", "worker"}, "--tenant is required"},
      {{"job", "wacth", "j"}, "unknown command 'wacth'; did you mean 'watch'?"},
      {With(kQuantize, {"--budegt", "3bpw"}), "unknown option '--budegt'; did you mean '--budget'?"},
      {{"quantize", "D", "--budgte=3bpw", "-o", "O"}, "unknown option '--budgte'; did you mean '--budget'?"},
      {{"job", "list", "--jsn"}, "did you mean '--json'?"},
      {{"help", "quantise"}, "did you mean 'quantize'?"},
      {{"quantize", "D", "-o", "O"}, "--budget, --max-kld or --max-ppl-rise is required"},
      {{"job", "submit", "D"}, "--max-kld"},
      {{"job", "report", "j", "--goal", "0"}, "--goal"},
      {With(kQuantize, {"--window", "1"}), "--window"},
      {With(kQuantize, {"--window", "x"}), "--window"},
      {With(kQuantize, {"--calibration-tokens", "0"}), "--calibration-tokens"},
      {With(kQuantize, {"--threads", "0"}), "--threads"},
      {With(kQuantize, {"--frobnicate"}), "--frobnicate"},
      {With(kQuantize, {"--priority", "11"}), "--priority"},
      {With(kQuantize, {"--device", "gpu"}), "--device"},
      {{"job", "list", "--state", "lost"}, "--state"},
      {{"job"}, "command is missing"},
      {{"job", "lost"}, "lost"},
  };
  for (const auto& [arguments, what] : cases) {
    const auto parsed = ParseCommandLine(arguments);
    const auto* end = std::get_if<ParseEnd>(&parsed);
    ASSERT_NE(end, nullptr) << what;
    EXPECT_EQ(ExitCodeOf(end->error), ExitCode::kUsage) << what;
    EXPECT_THAT(end->error, HasReason("ARGUMENT_INVALID"));
    EXPECT_NE(end->error.message().find(what), absl::string_view::npos) << end->error;
    EXPECT_NE(end->error.message().find("`bitwright"), absl::string_view::npos) << "says where to read on";
    EXPECT_EQ(end->out, "");
    EXPECT_FALSE(end->json);
  }
}

TEST(CommandLine, HelpNamesTheExitCodes) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"quantize", "--help"},
                                                    {"job", "watch", "--help"},
                                                    {"help"},
                                                    {"help", "quantize"},
                                                    {"help", "job", "watch"},
                                                    {"help", "job", "ls"}}) {
    const auto parsed = ParseCommandLine(arguments);
    const auto* end = std::get_if<ParseEnd>(&parsed);
    ASSERT_NE(end, nullptr);
    EXPECT_THAT(end->error, IsOk());
    EXPECT_NE(end->out.find(kExitCodeHelp), std::string::npos);
  }
}

TEST(CommandLine, HelpIsAboutTheCommandThatIsNamed) {
  const auto parsed = ParseCommandLine({"help", "job", "watch"});
  const auto* end = std::get_if<ParseEnd>(&parsed);
  ASSERT_NE(end, nullptr);
  EXPECT_NE(end->out.find("bitwright job watch"), std::string::npos) << end->out;
}

TEST(CommandLine, JsonIsKnownEvenWhereTheArgumentsAreWrong) {
  const auto parsed = ParseCommandLine({"quantize", "--frobnicate", "--json"});
  const auto* end = std::get_if<ParseEnd>(&parsed);
  ASSERT_NE(end, nullptr);
  EXPECT_TRUE(end->json);
}

TEST(CommandLine, AModelFolderMayHaveTheNameOfACommand) {
  auto arguments = kQuantize;
  for (const char* name : {"model", "job", "plan"}) {
    arguments[1] = name;
    EXPECT_EQ(Parse(arguments).job.model, name);
  }
}

TEST(CommandLine, LabelsMayBeRepeated) {
  const Options options = Parse(With(kQuantize, {"--label", "a=1", "--label", "b=2"}));
  EXPECT_EQ(options.job.labels, (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_EQ(Parse({"job", "submit", "--label", "a=1", "MODEL", "--budget", "3bpw"}).job.model, "MODEL");
}

TEST(CommandLine, KnowsWhatWasGiven) {
  const Options options = Parse({"job", "clone", "j", "--window", "512"});
  EXPECT_EQ(options.job.given, std::set<std::string>{"--window"});
}

}  // namespace
}  // namespace bitwright::client
