#include "client/cli/run.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "proto/contract/digest.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake/fake_service.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

// The command line against a fake service, within this process.
class RunTest : public ::testing::Test {
 protected:
  RunTest() {
    fs::create_directories(dir_ / "model");
    for (const char* name : {"model/config.json", "model/model.safetensors", "model/tokenizer.json"}) {
      EXPECT_THAT(WriteWholeFile(dir_ / name, "{}"), IsOk());
    }
    EXPECT_THAT(WriteWholeFile(dir_ / "c.txt", text_), IsOk());
    std::string ids = "[1";
    while (ids.size() < 1100) ids += ",1";
    EXPECT_THAT(WriteWholeFile(dir_ / "e.ids.jsonl", ids + "]\n"), IsOk());
    service_.AddArtifactFile("config.json", "{}");
    service_.AddArtifactFile("model.safetensors", std::string(4000, 'q'));
    service_.report.set_schema_version(1);
    service_.report.set_verdict("The mixed plan is returned.");
    environment_.server = service_.address();
  }
  ExitCode Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunCommandLine(arguments, environment_, std::make_shared<CancelToken>(), out_, err_);
  }
  std::vector<std::string> Quantize(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {
        "quantize",     dir_ / "model", "--budget",           "4.25bpw", "--calibration",
        dir_ / "c.txt", "--evaluation", dir_ / "e.ids.jsonl", "-o",      dir_ / "out"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  const std::string text_ = std::string(600, 'c');
  TempDir dir_;
  FakeService service_;
  Environment environment_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(RunTest, CallsAreInTheTraceOfTheEnvironment) {
  constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  ASSERT_THAT(WriteWholeFile(dir_ / "token", "bw_1\n"), IsOk());
  environment_.access.token_file = dir_ / "token";
  const auto sent = [&](const std::string& parent, const std::string& state) {
    environment_.traceparent = parent;
    environment_.tracestate = state;
    EXPECT_EQ(Run({"recipe", "list"}), ExitCode::kOk) << err_.str();
    EXPECT_EQ(service_.seen.metadata.count("authorization"), 1u) << "beside the token";
    std::string all;
    for (const char* key : {"traceparent", "tracestate"}) {
      const auto range = service_.seen.metadata.equal_range(key);
      for (auto it = range.first; it != range.second; ++it) all += it->second + "|";
    }
    return all;
  };
  EXPECT_EQ(sent("", ""), "");
  EXPECT_EQ(sent(kParent, ""), std::string(kParent) + "|");
  EXPECT_EQ(sent(kParent, "congo=t61,rojo=1"), std::string(kParent) + "|congo=t61,rojo=1|");
  EXPECT_EQ(sent(kParent, "no list"), std::string(kParent) + "|");
  EXPECT_EQ(sent("nonsense", "congo=t61"), "");
  EXPECT_EQ(sent("cc" + std::string(kParent + 2) + "-m\xc3\xb6re", ""), std::string(kParent) + "|") << "as version 00";
}

TEST_F(RunTest, ATokenIsMadeWithoutAServer) {
  environment_.server = "unix:/nowhere/socket";
  const std::vector<std::string> arguments = {"token",    "new", "--name", "alice",
                                              "--tenant", "nlp", "--role", "submitter"};
  ASSERT_EQ(Run(arguments), ExitCode::kOk) << err_.str();
  const std::string out = out_.str();
  const std::string token = out.substr(0, out.find('\n'));
  EXPECT_THAT(token, ::testing::MatchesRegex("bw_[0-9a-f]+"));
  EXPECT_EQ(out, token + "\nalice nlp submitter sha256:" + Sha256Hex(token) + "\n");
  std::vector<std::string> as_json = arguments;
  as_json.push_back("--json");
  ASSERT_EQ(Run(as_json), ExitCode::kOk);
  const auto made = nlohmann::json::parse(out_.str());
  EXPECT_NE(made["token"], token);
  EXPECT_EQ(made["line"], "alice nlp submitter sha256:" + Sha256Hex(made["token"].get<std::string>()));
  EXPECT_EQ(made["roles"], nlohmann::json::array({"submitter"}));
}

TEST_F(RunTest, ATokenIsNotSentInClear) {
  EXPECT_THAT(WriteWholeFile(dir_ / "token", "bw_1"), IsOk());
  environment_.access.token_file = dir_ / "token";
  environment_.server = "example.org:7071";
  EXPECT_EQ(Run({"job", "list"}), ExitCode::kUsage);
  EXPECT_THAT(err_.str(), ::testing::HasSubstr("[TOKEN_NEEDS_TLS]"));
  environment_.server = service_.address();
  EXPECT_EQ(Run({"job", "list"}), ExitCode::kOk) << "a loopback";
  EXPECT_EQ(Run({"job", "list", "--token-file", dir_ / "none"}), ExitCode::kUsage)
      << "the option before the environment";
}

TEST_F(RunTest, AccessIsForAServiceThatIsNamed) {
  EXPECT_EQ(Run(Quantize({"--local", "--token-file", "t"})), ExitCode::kUsage);
  EXPECT_THAT(err_.str(), ::testing::HasSubstr("[OPTION_CONFLICT]"));
}

TEST_F(RunTest, QuantizeWritesArtifactAndReport) {
  ASSERT_EQ(Run(Quantize()), ExitCode::kOk) << err_.str();
  EXPECT_EQ(*ReadWholeFile(dir_ / "out/model/model.safetensors"), std::string(4000, 'q'));
  const auto report = nlohmann::json::parse(*ReadWholeFile(dir_ / "out/report.json"));
  EXPECT_EQ(report["schema_version"], 1);
  EXPECT_TRUE(report.contains("candidates"));
  const std::string text = *ReadWholeFile(dir_ / "out/report.txt");
  EXPECT_TRUE(text.starts_with("The mixed plan is returned.\n"));
  EXPECT_TRUE(out_.str().starts_with(text));
  EXPECT_NE(out_.str().find("calibrate      4       1"), std::string::npos) << out_.str();
  EXPECT_EQ(text.find("calibrate      4"), std::string::npos) << "times differ from run to run";
  EXPECT_NE(err_.str().find("calibrate: done, 4/4 tasks, 1 cached"), std::string::npos) << err_.str();
  EXPECT_EQ(err_.str().find('\033'), std::string::npos);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_ / "out"), {}), 4);

  const v1::JobSpec& spec = service_.seen.spec;
  EXPECT_EQ(spec.model(), "models/m1");
  EXPECT_EQ(spec.recipe(), "recipes/mixed-gptq");
  EXPECT_EQ(spec.budget().average_bits(), 4.25);
  EXPECT_EQ(spec.calibration(0).kind(), v1::Data::TEXT);
  EXPECT_EQ(spec.evaluation(0).kind(), v1::Data::TOKEN_IDS_JSONL);
  EXPECT_EQ(spec.evaluation(0).window(), 512);
  EXPECT_EQ(spec.calibration(0).tokens(), 65536);
  EXPECT_EQ(spec.display_name(), "model");
  EXPECT_EQ(spec.calibration(0).display_name(), "c.txt");
  EXPECT_EQ(spec.evaluation(0).display_name(), "e.ids.jsonl");
  EXPECT_EQ(FromProto(spec.calibration(0).blob())->ToString(), DigestOf(text_).ToString());
}

TEST_F(RunTest, JsonIsAllThatStandardOutputGets) {
  ASSERT_EQ(Run(Quantize({"--json", "-q"})), ExitCode::kOk) << err_.str();
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["job"], "jobs/j1");
  EXPECT_EQ(json["report"]["verdict"], "The mixed plan is returned.");
  EXPECT_EQ(json["stages"][0]["kind"], "calibrate");
  EXPECT_EQ(err_.str(), "");
}

TEST_F(RunTest, OutIsCheckedBeforeAnythingRuns) {
  ASSERT_EQ(Run(Quantize()), ExitCode::kOk);
  EXPECT_EQ(Run(Quantize()), ExitCode::kUsage);
  EXPECT_NE(err_.str().find("OUT_NOT_EMPTY"), std::string::npos);
  EXPECT_EQ(service_.seen.create_jobs, 1);
  EXPECT_EQ(Run(Quantize({"--force"})), ExitCode::kOk);
}

TEST_F(RunTest, WrongInputNeedsNoServer) {
  environment_.server = "unix:/nowhere/socket";
  auto arguments = Quantize();
  arguments[3] = "4.25";
  EXPECT_EQ(Run(arguments), ExitCode::kUsage);
  EXPECT_NE(err_.str().find("has no unit"), std::string::npos);
  arguments = Quantize();
  arguments[5] = dir_ / "nothing.txt";
  EXPECT_EQ(Run(arguments), ExitCode::kUsage);
  EXPECT_NE(err_.str().find("nothing.txt"), std::string::npos);
  EXPECT_EQ(Run(Quantize({"--recipe", dir_ / "nothing.textproto"})), ExitCode::kUsage);
}

TEST_F(RunTest, EndsOfJobsHaveTheirExitCodes) {
  service_.plan.job_end = v1::Job::FAILED;
  EXPECT_EQ(Run(Quantize()), ExitCode::kUsage) << "input that must be changed, though only the job found it";
  EXPECT_NE(err_.str().find("the calibration text is empty [CALIBRATION_EMPTY]"), std::string::npos) << err_.str();
  service_.plan.job_end = v1::Job::CANCELLED;
  EXPECT_EQ(Run({"job", "watch", "j1"}), ExitCode::kCancelled);
  service_.plan.job_end = v1::Job::SUCCEEDED;
  EXPECT_EQ(Run({"job", "watch", "j1"}), ExitCode::kOk);
  EXPECT_FALSE(fs::exists(dir_ / "out"));
}

TEST_F(RunTest, OtherExitCodes) {
  EXPECT_EQ(Run({"job", "show", "nope"}), ExitCode::kNotFound);
  EXPECT_EQ(Run({"job", "show", "nope", "--json"}), ExitCode::kNotFound);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["error"]["reason"], "JOB_NOT_FOUND");
  EXPECT_EQ(Run({"recipe", "list", "--server", "unix:/nowhere/socket"}), ExitCode::kUnreachable);
  EXPECT_EQ(Run({"bogus"}), ExitCode::kUsage);
  EXPECT_EQ(Run({"--help"}), ExitCode::kOk);
  EXPECT_EQ(Run(Quantize({"--local", "--server", "h:1"})), ExitCode::kUsage);
  EXPECT_EQ(Run(Quantize({"--threads", "2"})), ExitCode::kUsage);
  EXPECT_NE(err_.str().find("OPTION_CONFLICT"), std::string::npos) << err_.str();
}

TEST_F(RunTest, InterruptedTokenIs130) {
  const auto cancel = std::make_shared<CancelToken>();
  cancel->Cancel();
  EXPECT_EQ(RunCommandLine(Quantize(), environment_, cancel, out_, err_), ExitCode::kInterrupted);
}

TEST_F(RunTest, BrokenDownloadContinuesInTheSameFolder) {
  ASSERT_EQ(Run(Quantize()), ExitCode::kOk);
  fs::remove_all(dir_ / "out");
  service_.plan.corrupt_reads = 100;
  EXPECT_EQ(Run({"artifact", "download", "j1", "-o", dir_ / "out"}), ExitCode::kFailed);
  EXPECT_FALSE(fs::exists(dir_ / "out/report.json"));
  service_.plan.corrupt_reads = 0;
  EXPECT_EQ(Run({"artifact", "download", "j1", "-o", dir_ / "out"}), ExitCode::kOk) << err_.str();
  EXPECT_TRUE(fs::exists(dir_ / "out/report.json"));
}

TEST_F(RunTest, PlanAndSubmit) {
  EXPECT_EQ(Run({"plan", dir_ / "model", "--budget", "12MB"}), ExitCode::kOk) << err_.str();
  EXPECT_NE(out_.str().find("tasks               12"), std::string::npos) << out_.str();
  EXPECT_TRUE(service_.seen.spec.calibration().empty());
  EXPECT_EQ(Run({"job", "submit", "models/m1", "--budget", "12MB", "--calibration", dir_ / "c.txt", "--evaluation",
                 dir_ / "c.txt", "--recipe", SourcePath("proto/recipes/mixed-rtn.textproto")}),
            ExitCode::kOk)
      << err_.str();
  EXPECT_EQ(out_.str(), "jobs/j1\n");
  EXPECT_EQ(service_.seen.spec.inline_recipe().name(), "mixed-rtn");
  EXPECT_EQ(service_.seen.spec.budget().artifact_bytes(), 12000000);
}

TEST_F(RunTest, ReportPrintsTheSameText) {
  ASSERT_EQ(Run(Quantize()), ExitCode::kOk);
  ASSERT_EQ(Run({"job", "report", "j1"}), ExitCode::kOk);
  EXPECT_EQ(out_.str(), *ReadWholeFile(dir_ / "out/report.txt"));
  ASSERT_EQ(Run({"job", "report", "j1", "--json"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str()), nlohmann::json::parse(*ReadWholeFile(dir_ / "out/report.json")));
}

TEST_F(RunTest, AnimatesOnATerminalOnly) {
  environment_.err_is_terminal = true;
  ASSERT_EQ(Run(Quantize()), ExitCode::kOk);
  EXPECT_NE(err_.str().find("\033["), std::string::npos);
  environment_.no_color = true;
  ASSERT_EQ(Run(Quantize({"--force"})), ExitCode::kOk);
  EXPECT_EQ(err_.str().find("\033[36m"), std::string::npos);
  EXPECT_EQ(err_.str().find("\033[32m"), std::string::npos);
  ASSERT_EQ(Run(Quantize({"--force", "-q"})), ExitCode::kOk);
  EXPECT_EQ(err_.str(), "");
}

TEST_F(RunTest, WorkersOfAllPagesAreListedWithTheirState) {
  for (int i = 0; i < 5; ++i) {
    v1::Worker& worker = service_.plan.workers.emplace_back();
    worker.set_name("workers/worker" + std::to_string(i));
    worker.set_state(i == 4 ? v1::Worker::CORDONED : v1::Worker::ACTIVE);
  }
  service_.plan.workers[4].add_tasks("tasks/a");
  service_.plan.workers[4].add_tasks("tasks/b");
  ASSERT_EQ(Run({"worker", "list"}), ExitCode::kOk) << err_.str();
  for (const char* part : {"workers/worker0", "workers/worker4", "CORDONED", "tasks/a tasks/b", "idle"}) {
    EXPECT_NE(out_.str().find(part), std::string::npos) << out_.str();
  }
  ASSERT_EQ(Run({"worker", "list", "--json"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["workers"].size(), 5u);
  ASSERT_EQ(Run({"worker", "list", "--limit", "2", "--json"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["workers"].size(), 2u);
}

TEST_F(RunTest, WorkersAreSteeredByTheBeginningOfTheirName) {
  for (const char* name : {"workers/abcd1", "workers/abce2"}) service_.plan.workers.emplace_back().set_name(name);
  EXPECT_EQ(Run({"worker", "cordon", "abcd"}), ExitCode::kOk) << err_.str();
  EXPECT_NE(out_.str().find("workers/abcd1 is CORDONED"), std::string::npos) << out_.str();
  EXPECT_EQ(Run({"worker", "drain", "workers/abce2"}), ExitCode::kOk);
  EXPECT_EQ(Run({"worker", "uncordon", "abcd1", "--json"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["state"], "ACTIVE");
  EXPECT_EQ(service_.seen.operated, (std::vector<std::string>{"CordonWorker workers/abcd1", "DrainWorker workers/abce2",
                                                              "UncordonWorker workers/abcd1"}));
  EXPECT_EQ(Run({"worker", "drain", "abcf2"}), ExitCode::kNotFound);
  EXPECT_NE(err_.str().find("did you mean"), std::string::npos) << err_.str();
  EXPECT_NE(err_.str().find("WORKER_NOT_FOUND"), std::string::npos) << err_.str();
  EXPECT_EQ(Run({"worker", "cordn", "abcd"}), ExitCode::kUsage);
  EXPECT_NE(err_.str().find("did you mean 'cordon'"), std::string::npos) << err_.str();
  EXPECT_EQ(Run({"worker", "cordon"}), ExitCode::kUsage);
  EXPECT_EQ(Run({"help", "worker", "drain"}), ExitCode::kOk);
  EXPECT_NE(out_.str().find("finish what it runs"), std::string::npos) << out_.str();
}

TEST_F(RunTest, TasksOfAJobAreShownAndRequeued) {
  ASSERT_EQ(Run(Quantize()), ExitCode::kOk) << err_.str();  // makes jobs/j1
  for (const auto& [id, key] : {std::pair{"1", "calibrate[10,0]"}, {"2", "calibrate[2,0]"}, {"3", "assemble"}}) {
    v1::Task& task = service_.plan.tasks.emplace_back();
    task.set_name(std::string("tasks/") + id);
    task.set_key(key);
    task.set_kind(std::string(key).substr(0, std::string(key).find('[')));
    task.set_state(v1::Task::DONE);
    task.set_attempts(2);
  }
  service_.plan.tasks[1].mutable_error()->set_code(14);
  service_.plan.tasks[1].mutable_error()->set_message("the host broke");
  ASSERT_EQ(Run({"job", "tasks", "j1"}), ExitCode::kOk) << err_.str();
  const size_t second = out_.str().find("calibrate[2,0]");
  const size_t tenth = out_.str().find("calibrate[10,0]");
  ASSERT_NE(second, std::string::npos) << out_.str();
  EXPECT_LT(second, tenth) << out_.str();
  EXPECT_NE(out_.str().find("the host broke"), std::string::npos) << out_.str();
  ASSERT_EQ(Run({"job", "tasks", "j1", "--json"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["tasks"].size(), 3u);
  EXPECT_EQ(Run({"task", "requeue", "t7"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.operated.back(), "RequeueTask tasks/t7");
}

TEST_F(RunTest, KeptResultsAreShownAndDropped) {
  const std::string digest(64, 'a');
  service_.plan.cache_entry.set_digest(digest);
  service_.plan.cache_entry.set_usable(true);
  v1::TaskOutput* output = service_.plan.cache_entry.mutable_result()->add_outputs();
  output->set_name("statistics");
  output->mutable_digest()->set_size_bytes(12345);
  ASSERT_EQ(Run({"cache", "show", digest, "--tenant", "acme"}), ExitCode::kOk) << err_.str();
  for (const char* part : {"statistics", "12,345", "acme"}) {
    EXPECT_NE(out_.str().find(part), std::string::npos) << out_.str();
  }
  ASSERT_EQ(Run({"cache", "show", digest, "--json"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["digest"], digest);
  EXPECT_EQ(Run({"cache", "drop", digest}), ExitCode::kOk);
  EXPECT_EQ(Run({"cache", "drop", std::string(64, 'b')}), ExitCode::kNotFound);
  EXPECT_NE(err_.str().find("CACHE_ENTRY_NOT_FOUND"), std::string::npos) << err_.str();
}

TEST_F(RunTest, TenantsAreShownAndLimited) {
  v1::Tenant& tenant = service_.plan.tenant;
  tenant.set_name("nlp");
  tenant.mutable_usage()->set_bytes(12'000'000);
  tenant.mutable_limits()->set_running_jobs(3);
  ASSERT_EQ(Run({"tenant", "list"}), ExitCode::kOk) << err_.str();
  for (const char* part : {"nlp", "12.00 MB of any", "0 of 3", "the server's"}) {
    EXPECT_NE(out_.str().find(part), std::string::npos) << out_.str();
  }
  ASSERT_EQ(Run({"tenant", "limit", "nlp", "--bytes", "5000000000"}), ExitCode::kOk) << err_.str();
  for (const char* part : {"12.00 MB of 5.00 GB", "0 of 3", "its own"}) {
    EXPECT_NE(out_.str().find(part), std::string::npos) << out_.str();
  }
  EXPECT_EQ(service_.seen.operated.back(), "UpdateTenantLimits nlp");
  EXPECT_EQ(Run({"tenant", "limit", "nlp"}), ExitCode::kUsage) << "nothing to set";
  EXPECT_EQ(Run({"tenant", "limit", "nlp", "--bytes", "-1"}), ExitCode::kUsage);
  ASSERT_EQ(Run({"tenant", "show", "nlp", "--json"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["limits"]["running_jobs"], "3");
}

}  // namespace
}  // namespace bitwright::client
