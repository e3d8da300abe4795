#include "client/cli/contexts.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "client/cli/run.h"
#include "proto/base/status_macros.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

using ::testing::HasSubstr;

class ContextsTest : public ::testing::Test {
 protected:
  ContextsTest() {
    environment_.config_dir = dir_ / "config";
    const ServiceContext lab = {.server = "lab:7071", .access = {.token_file = "/lab.token", .tls_ca = "system"}};
    contexts_.by_name = {{"lab", lab}, {"home", {.server = "unix:/run/bitwright", .access = {}}}};
    contexts_.current = "lab";
  }

  ExitCode Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunCommandLine(arguments, environment_, std::make_shared<CancelToken>(), out_, err_);
  }
  // The server that a command with these options would go to.
  absl::StatusOr<std::string> ServerOf(const Options& options) {
    ABSL_ASSIGN_OR_RETURN(const Environment found, InContext(options, environment_));
    return found.server;
  }

  TempDir dir_;
  Environment environment_;
  Contexts contexts_;
  std::ostringstream out_, err_;
};

TEST_F(ContextsTest, AreReadAsTheyWereWrittenAndByTheirUserAlone) {
  const std::string path = ContextsPath(environment_);
  ASSERT_OK_AND_ASSIGN(const Contexts none, Contexts::Read(path));
  EXPECT_TRUE(none.by_name.empty());
  ASSERT_THAT(contexts_.Write(path), IsOk());
  ASSERT_OK_AND_ASSIGN(const Contexts read, Contexts::Read(path));
  EXPECT_EQ(read.current, "lab");
  ASSERT_EQ(read.by_name.size(), 2);
  EXPECT_EQ(read.by_name.at("lab").server, "lab:7071");
  EXPECT_EQ(read.by_name.at("lab").access.token_file, "/lab.token");
  EXPECT_EQ(read.by_name.at("lab").access.tls_ca, "system");
  EXPECT_FALSE(read.by_name.at("home").access.tls());
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600);
}

TEST_F(ContextsTest, AFileThatIsNoneIsRefusedByName) {
  const std::string path = dir_ / "contexts.json";
  for (const char* text : {"", "[]", "{\"contexts\": 1}", "{\"contexts\": {\"a\": {}}}", "{\"contexts\": {\"a\": 1}}",
                           "{\"contexts\": {\"a\": {\"server\": 1}}}", "{\"contexts\": {}, \"current\": \"a\"}"}) {
    ASSERT_THAT(WriteWholeFile(path, text), IsOk());
    EXPECT_THAT(Contexts::Read(path), HasReason("CONTEXTS_DAMAGED")) << text;
  }
}

TEST_F(ContextsTest, WhatIsNamedComesBeforeWhatIsKept) {
  ASSERT_THAT(contexts_.Write(ContextsPath(environment_)), IsOk());
  EXPECT_EQ(ServerOf({}).value_or("refused"), "lab:7071");
  EXPECT_EQ(ServerOf({.context = "home"}).value_or("refused"), "unix:/run/bitwright");
  environment_.server = "env:1";
  EXPECT_EQ(ServerOf({}).value_or("refused"), "env:1");
  EXPECT_EQ(ServerOf({.context = "home"}).value_or("refused"), "unix:/run/bitwright");
  environment_.context = "home";
  EXPECT_EQ(ServerOf({}).value_or("refused"), "unix:/run/bitwright");
  EXPECT_EQ(ServerOf({.server = "flag:1"}).value_or("refused"), "env:1") << "the flag itself says where";
  EXPECT_THAT(ServerOf({.server = "flag:1", .context = "lab"}), HasReason("OPTION_CONFLICT"));
  EXPECT_THAT(ServerOf({.context = "hme"}), HasReason("CONTEXT_NOT_FOUND"));
  Options local;
  local.local.local = true;
  environment_.server.clear();
  EXPECT_EQ(ServerOf(local).value_or("refused"), "");
}

TEST_F(ContextsTest, ATokenOfTheEnvironmentComesBeforeThatOfTheContext) {
  ASSERT_THAT(contexts_.Write(ContextsPath(environment_)), IsOk());
  environment_.access.token_file = "/env.token";
  ASSERT_OK_AND_ASSIGN(const Environment found, InContext({}, environment_));
  EXPECT_EQ(found.access.token_file, "/env.token");
  EXPECT_EQ(found.access.tls_ca, "system");
}

TEST_F(ContextsTest, AreNamedUsedListedAndForgotten) {
  ASSERT_EQ(Run({"context", "list"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("context set"));
  ASSERT_EQ(Run({"context", "set", "lab"}), ExitCode::kUsage) << "no server";
  ASSERT_EQ(Run({"--server", "lab:7071", "context", "set", "lab", "--token-file", "lab.token"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("commands go there"));
  ASSERT_EQ(Run({"context", "set", "home", "--server", "home:7071"}), ExitCode::kOk);
  ASSERT_EQ(Run({"context", "use", "home"}), ExitCode::kOk);
  ASSERT_EQ(Run({"--json", "context", "ls"}), ExitCode::kOk);
  const auto all = nlohmann::json::parse(out_.str());
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0]["name"], "home");
  EXPECT_EQ(all[0]["current"], true);
  EXPECT_EQ(all[1]["current"], false);
  ASSERT_OK_AND_ASSIGN(const Contexts read, Contexts::Read(ContextsPath(environment_)));
  EXPECT_TRUE(read.by_name.at("lab").access.token_file.starts_with('/')) << "whatever folder commands are called in";
  EXPECT_EQ(Run({"context", "use", "hoem"}), ExitCode::kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("did you mean 'home'"));
  ASSERT_EQ(Run({"context", "rm", "home"}), ExitCode::kOk);
  ASSERT_EQ(Run({"context", "list"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), ::testing::Not(HasSubstr("*"))) << "none is current";
}

TEST_F(ContextsTest, WithoutAFolderToKeepThemInNoneIsNamed) {
  environment_.config_dir.clear();
  EXPECT_EQ(Run({"context", "set", "lab", "--server", "lab:7071"}), ExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("CONTEXTS_NOWHERE"));
}

}  // namespace
}  // namespace bitwright::client
