#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "client/cli/run.h"
#include "client/cli/sample_text.h"
#include "proto/base/message_bytes.h"
#include "proto/contract/digest.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/fake/fake_service.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

// What a person meets around a job, against a fake service.
class QuantizeTest : public ::testing::Test {
 protected:
  QuantizeTest() {
    MakeModel("model");
    EXPECT_THAT(WriteWholeFile(dir_ / "c.txt", std::string(600, 'c')), IsOk());
    EXPECT_THAT(WriteWholeFile(dir_ / "e.txt", std::string(600, 'e')), IsOk());
    service_.AddArtifactFile("config.json", "{}");
    service_.report.set_selected("mixed");
    service_.report.add_candidates()->set_name("mixed");
    service_.report.mutable_candidates(0)->set_average_bits(4.125);
    environment_.server = service_.address();
  }
  void MakeModel(const std::string& name) {
    fs::create_directories(dir_ / name);
    for (const char* file : {"/config.json", "/model.safetensors", "/tokenizer.json"}) {
      EXPECT_THAT(WriteWholeFile((dir_ / name) + file, "{}"), IsOk());
    }
  }
  ExitCode Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunCommandLine(arguments, environment_, std::make_shared<CancelToken>(), out_, err_);
  }
  ExitCode Quantize(const std::string& model, const std::vector<std::string>& more = {},
                    const std::string& budget = "4.25bpw") {
    std::vector<std::string> arguments = {"quantize",     model,          "--budget",     budget, "--calibration",
                                          dir_ / "c.txt", "--evaluation", dir_ / "e.txt", "-o",   dir_ / "out"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments);
  }
  nlohmann::json ReportIn(const std::string& folder) const {
    return nlohmann::json::parse(*ReadWholeFile((dir_ / folder) + "/report.json"));
  }
  bool Said(const std::string& text) const { return err_.str().find(text) != std::string::npos; }

  TempDir dir_;
  FakeService service_;
  Environment environment_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(QuantizeTest, SeveralBudgetsAreOneJobAndOneTable) {
  ASSERT_EQ(Quantize(dir_ / "model", {}, "3bpw, 4.25bpw,12MB"), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.create_models, 1);
  EXPECT_EQ(service_.seen.create_jobs, 1);
  EXPECT_EQ(service_.seen.spec.goals_size(), 3);
  EXPECT_FALSE(service_.seen.spec.has_budget() || !service_.seen.spec.target().empty()) << "each goal has its own";
  for (const char* folder : {"3bpw", "4.25bpw", "12MB"}) {
    EXPECT_TRUE(fs::exists(fs::path(dir_ / "out") / folder / "report.json")) << folder;
    EXPECT_NE(out_.str().find(std::string("\n") + folder), std::string::npos) << out_.str();
    EXPECT_FALSE(fs::exists(fs::path(dir_ / "out") / folder / ".bitwright-incomplete")) << folder;
  }
  EXPECT_NE(out_.str().find("4.125"), std::string::npos) << out_.str();
  EXPECT_EQ(*ReadWholeFile(dir_ / "out/12MB/model/goal.txt"), "2") << "each folder has its own artifact";
  EXPECT_EQ(ReportIn("out/12MB")["budget"]["artifact_bytes"], "12000000") << "and its own report";
  ASSERT_EQ(Quantize(dir_ / "model", {"--json", "--force"}, "3bpw,4bpw"), ExitCode::kOk) << err_.str();
  const auto json = nlohmann::json::parse(out_.str());
  ASSERT_EQ(json["results"].size(), 2u);
  EXPECT_EQ(json["results"][1]["budget"], "4bpw");
  EXPECT_EQ(Quantize(dir_ / "model", {}, "3bpw,3.0bpw"), ExitCode::kUsage);
  EXPECT_TRUE(Said("is given twice")) << err_.str();
}

TEST_F(QuantizeTest, EveryTargetHasEveryBudgetInAFolderOfItsOwn) {
  ASSERT_EQ(Quantize(dir_ / "model", {"--target", "compressed-tensors,gguf"}, "3bpw,4bpw"), ExitCode::kOk)
      << err_.str();
  for (const char* folder : {"compressed-tensors-3bpw", "compressed-tensors-4bpw", "gguf-3bpw", "gguf-4bpw"}) {
    EXPECT_TRUE(fs::exists(fs::path(dir_ / "out") / folder / "report.json")) << folder;
  }
  EXPECT_EQ(ReportIn("out/gguf-3bpw")["target"], "gguf");
  EXPECT_EQ(service_.seen.create_jobs, 1);
  EXPECT_EQ(Quantize(dir_ / "model", {"--target", "gguf,gguf"}, "3bpw"), ExitCode::kUsage);
  EXPECT_EQ(Quantize(dir_ / "model", {"--target", "gguf,"}, "3bpw"), ExitCode::kUsage);
}

TEST_F(QuantizeTest, BoundsOfQualityAreBudgetsLikeOthers) {
  ASSERT_EQ(Quantize(dir_ / "model", {"--max-kld", "0.05", "--max-ppl-rise", "1%,0.5%", "--budget", "kld=0.1"}),
            ExitCode::kOk)
      << err_.str();
  const auto& goals = service_.seen.spec.goals();
  ASSERT_EQ(goals.size(), 5);
  EXPECT_EQ(goals[0].budget().average_bits(), 4.25);
  EXPECT_EQ(goals[1].budget().max_kl_divergence(), 0.1);
  EXPECT_EQ(goals[2].budget().max_kl_divergence(), 0.05);
  EXPECT_EQ(goals[3].budget().max_perplexity_rise(), 0.01);
  EXPECT_EQ(goals[4].budget().max_perplexity_rise(), 0.005);
  for (const char* folder : {"4.25bpw", "kld0.1", "kld0.05", "ppl1pct", "ppl0.5pct"}) {
    EXPECT_TRUE(fs::exists(fs::path(dir_ / "out") / folder / "report.json")) << folder;
  }
  EXPECT_NE(out_.str().find("\nkld=0.05"), std::string::npos) << out_.str();
  ASSERT_EQ(Run({"plan", dir_ / "model", "--max-kld", "0.05"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.spec.budget().max_kl_divergence(), 0.05) << "one goal stands in the job's own fields";
  for (const char* bad : {"0", "-1", "x", "inf", "0.1,0.1"}) {
    EXPECT_EQ(Run({"plan", dir_ / "model", "--max-kld", bad}), ExitCode::kUsage) << bad;
    EXPECT_TRUE(Said("BUDGET_INVALID")) << err_.str();
  }
}

TEST_F(QuantizeTest, ABrokenDeliveryGoesOnInAllFolders) {
  service_.plan.corrupt_bytes = "1";  // goal.txt of the second goal
  EXPECT_EQ(Quantize(dir_ / "model", {}, "3bpw,4bpw"), ExitCode::kFailed);
  EXPECT_TRUE(Said("BLOB_DIGEST_MISMATCH")) << err_.str();
  EXPECT_TRUE(fs::exists(fs::path(dir_ / "out/3bpw/report.json")));
  EXPECT_FALSE(fs::exists(fs::path(dir_ / "out/4bpw/report.json")));
  service_.plan.corrupt_bytes.clear();
  const size_t reads = service_.seen.read_offsets.size();
  ASSERT_EQ(Run({"artifact", "download", "j1", "-o", dir_ / "out"}), ExitCode::kOk) << "no --force: " << err_.str();
  EXPECT_EQ(service_.seen.read_offsets.size(), reads + 1) << "what is there already stays";
  EXPECT_TRUE(fs::exists(fs::path(dir_ / "out/4bpw/report.json")));
  EXPECT_FALSE(fs::exists(fs::path(dir_ / "out/3bpw/.bitwright-incomplete")));
}

TEST_F(QuantizeTest, AJobOfSeveralGoalsIsShownAndFetchedByGoal) {
  ASSERT_EQ(Quantize(dir_ / "model", {"--target", "compressed-tensors,gguf"}, "3bpw,12000000B"), ExitCode::kOk);
  ASSERT_EQ(Run({"job", "show", "j1"}), ExitCode::kOk);
  for (const char* part : {"goals               1  compressed-tensors, 3 bits per weight: 2 bytes",
                           "\n                      4  gguf, 12,000,000 bytes: 3 bytes"}) {
    EXPECT_NE(out_.str().find(part), std::string::npos) << out_.str();
  }
  ASSERT_EQ(Run({"job", "report", "j1"}), ExitCode::kOk);
  EXPECT_NE(out_.str().find("==== goal 4 of 4: gguf, 12,000,000 bytes\n"), std::string::npos) << out_.str();
  ASSERT_EQ(Run({"job", "report", "j1", "--json"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str())[2]["target"], "gguf");
  ASSERT_EQ(Run({"job", "report", "j1", "--json", "--goal", "4"}), ExitCode::kOk);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["budget"]["artifact_bytes"], "12000000");
  EXPECT_EQ(Run({"job", "report", "j1", "--goal", "5"}), ExitCode::kUsage);
  EXPECT_TRUE(Said("GOAL_UNKNOWN")) << err_.str();

  ASSERT_EQ(Run({"artifact", "download", "j1", "-o", dir_ / "all"}), ExitCode::kOk) << err_.str();
  for (const char* folder : {"compressed-tensors-3bpw", "compressed-tensors-12MB", "gguf-3bpw", "gguf-12MB"}) {
    EXPECT_TRUE(fs::exists(fs::path(dir_ / "all") / folder / "report.json")) << folder;
    EXPECT_NE(out_.str().find(std::string("\n") + folder), std::string::npos) << out_.str();
  }
  ASSERT_EQ(Run({"artifact", "download", "j1", "--goal", "3", "-o", dir_ / "one"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(*ReadWholeFile(dir_ / "one/model/goal.txt"), "2");
  EXPECT_EQ(ReportIn("one")["target"], "gguf");
}

TEST_F(QuantizeTest, GoalsOfAJobAreKeptOrReplacedByAClone) {
  ASSERT_EQ(Quantize(dir_ / "model", {"--target", "compressed-tensors,gguf", "--consumer", "vllm"}, "3bpw,4bpw"),
            ExitCode::kOk);
  const v1::JobSpec first = service_.seen.spec;
  EXPECT_EQ(first.goals(1).consumer(), "vllm");
  EXPECT_EQ(first.goals(2).consumer(), "") << "it does not load that target";
  ASSERT_EQ(Run({"job", "clone", "j1", "--name", "again"}), ExitCode::kOk) << err_.str();
  v1::JobSpec expected = first;
  expected.set_display_name("again");
  EXPECT_EQ(DeterministicBytes(service_.seen.spec), DeterministicBytes(expected));
  ASSERT_EQ(Run({"job", "clone", "j1", "--max-kld", "0.05"}), ExitCode::kOk) << err_.str();
  ASSERT_EQ(service_.seen.spec.goals_size(), 2);
  EXPECT_EQ(service_.seen.spec.goals(0).consumer(), "vllm");
  EXPECT_EQ(service_.seen.spec.goals(1).target(), "gguf");
  EXPECT_EQ(service_.seen.spec.goals(1).budget().max_kl_divergence(), 0.05);
  ASSERT_EQ(Run({"job", "clone", "j1", "--target", "gptq", "--budget", "5bpw"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.spec.goals_size(), 0);
  EXPECT_EQ(service_.seen.spec.target(), "gptq");
  EXPECT_EQ(service_.seen.spec.consumer(), "vllm");
  EXPECT_EQ(service_.seen.spec.budget().average_bits(), 5);
}

TEST_F(QuantizeTest, NamesOfJobAndModel) {
  ASSERT_EQ(Quantize(dir_ / "model", {"--name", "try 7"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.spec.display_name(), "try 7");
  EXPECT_EQ(service_.seen.model_name, "model");
  ASSERT_EQ(Quantize(dir_ / "model", {"--force", "--model-name", "Llama"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.spec.display_name(), "Llama");
  EXPECT_EQ(service_.seen.model_name, "Llama");
  for (const std::string& bad : {std::string("a\xff"), std::string(200, 'x')}) {
    for (const char* option : {"--name", "--model-name"}) {
      EXPECT_EQ(Quantize(dir_ / "model", {"--force", option, bad}), ExitCode::kUsage);
      EXPECT_TRUE(Said("DISPLAY_NAME_INVALID") && Said(option)) << err_.str();
    }
    EXPECT_EQ(Run({"model", "upload", dir_ / "model", "--name", bad}), ExitCode::kUsage);
  }
  std::string long_name;
  for (int i = 0; i < 60; ++i) long_name += "型";
  MakeModel(long_name);
  MakeModel("caf\xe9");
  ASSERT_EQ(Quantize(dir_ / long_name, {"--force"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.model_name, long_name.substr(0, 126));
  ASSERT_EQ(Quantize(dir_ / "caf\xe9", {"--force"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.model_name, "caf?");
}

TEST_F(QuantizeTest, WhatLiesBesideTheModelIsCountedAndListed) {
  EXPECT_THAT(WriteWholeFile(dir_ / "model/consolidated.safetensors", std::string(5000, 'x')), IsOk());
  EXPECT_THAT(WriteWholeFile(dir_ / "model/back\\slash", std::string(1000, 'x')), IsOk());
  ASSERT_EQ(Quantize(dir_ / "model"), ExitCode::kOk) << err_.str();
  EXPECT_TRUE(Said("ignored: 2 files, 6.00 kB")) << err_.str();
  EXPECT_FALSE(Said("consolidated"));
  ASSERT_EQ(Quantize(dir_ / "model", {"--force", "--verbose", "--json"}), ExitCode::kOk) << err_.str();
  EXPECT_TRUE(Said("consolidated.safetensors")) << err_.str();
  EXPECT_EQ(nlohmann::json::parse(out_.str())["ignored_files"].size(), 2u);
}

TEST_F(QuantizeTest, WaitingAndWarningsReachThePerson) {
  service_.plan.waiting.set_reason("NO_WORKER");
  service_.plan.waiting.set_message("no worker is registered");
  v1::Notice notice;
  notice.set_reason("TEXTS_OVERLAP");
  notice.set_message("the texts overlap");
  service_.plan.notices = {notice};
  ASSERT_EQ(Quantize(dir_ / "model"), ExitCode::kOk);
  EXPECT_TRUE(Said("waiting: no worker is registered [NO_WORKER]")) << err_.str();
  EXPECT_TRUE(Said("warning: the texts overlap [TEXTS_OVERLAP]")) << err_.str();
  EXPECT_EQ(err_.str().find("the texts overlap"), err_.str().rfind("the texts overlap")) << "once";
}

TEST_F(QuantizeTest, RefusedBeforeAnythingTravels) {
  service_.plan.knows_capabilities = true;
  service_.plan.capabilities.add_targets()->set_name("compressed-tensors");
  service_.plan.capabilities.add_architectures()->set_architecture("LlamaForCausalLM");
  EXPECT_EQ(Quantize(dir_ / "model", {"--target", "gptq"}), ExitCode::kUsage);
  EXPECT_TRUE(Said("TARGET_UNKNOWN")) << err_.str();
  EXPECT_EQ(Quantize(dir_ / "model", {"--recipe", "mixed-gtpq"}), ExitCode::kNotFound);
  EXPECT_TRUE(Said("did you mean 'mixed-gptq'?")) << err_.str();
  EXPECT_THAT(WriteWholeFile(dir_ / "model/config.json", "{\"architectures\": [\"FalconForCausalLM\"]}"), IsOk());
  EXPECT_EQ(Quantize(dir_ / "model"), ExitCode::kUsage);
  EXPECT_TRUE(Said("ARCHITECTURE_UNSUPPORTED")) << err_.str();
  EXPECT_EQ(Run({"model", "upload", dir_ / "model"}), ExitCode::kUsage);
  EXPECT_THAT(WriteWholeFile(dir_ / "model/config.json", "{}"), IsOk());
  fs::remove(dir_ / "model/tokenizer.json");
  EXPECT_EQ(Quantize(dir_ / "model"), ExitCode::kUsage);
  EXPECT_TRUE(Said("TOKENIZER_MISSING")) << err_.str();
  EXPECT_TRUE(service_.seen.write_names.empty());
}

TEST_F(QuantizeTest, RoomIsAskedForOnceTheEstimateIsThere) {
  service_.plan.goal_estimate.set_artifact_bytes(int64_t{1} << 60);
  EXPECT_EQ(Quantize(dir_ / "model"), ExitCode::kFailed);
  EXPECT_TRUE(Said("DISK_FULL")) << err_.str();
  EXPECT_EQ(service_.seen.create_jobs, 0);
  EXPECT_EQ(Quantize(dir_ / "model", {}, "8000TB"), ExitCode::kFailed);
  EXPECT_TRUE(Said("DISK_FULL")) << "a budget of bytes says it at once: " << err_.str();
}

TEST_F(QuantizeTest, TextsThatAreNotGivenAreAskedFor) {
  const std::vector<std::string> without = {"quantize", dir_ / "model", "--budget", "4bpw", "-o", dir_ / "out"};
  EXPECT_EQ(Run(without), ExitCode::kUsage);
  EXPECT_TRUE(Said("--calibration sample") && Said("DATA_MISSING")) << err_.str();
  auto sample = without;
  sample.insert(sample.end(), {"--calibration", "sample", "--evaluation", dir_ / "e.txt"});
  ASSERT_EQ(Run(sample), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.spec.calibration(0).display_name(), kSampleName);
  EXPECT_EQ(FromProto(service_.seen.spec.calibration(0).blob())->sha256, DigestOf(SampleTextBytes()).sha256);
}

TEST_F(QuantizeTest, HubModelsComeFromTheCache) {
  environment_.hub_caches = {dir_ / "hub"};
  EXPECT_EQ(Run({"model", "upload", "org/name"}), ExitCode::kNotFound);
  EXPECT_TRUE(Said("hf download org/name")) << err_.str();
  MakeModel("hub/models--org--name/snapshots/abc");
  ASSERT_EQ(Quantize("org/name"), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.model_name, "org/name");
}

TEST_F(QuantizeTest, AnEditedRecipeGoesByAnotherName) {
  service_.plan.recipe_renamed = "mixed-rtn-edited";
  ASSERT_EQ(Quantize(dir_ / "model", {"--recipe", SourcePath("proto/recipes/mixed-rtn.textproto")}), ExitCode::kOk);
  EXPECT_TRUE(Said("'mixed-rtn-edited'")) << err_.str();
}

TEST_F(QuantizeTest, TextsRepeat) {
  ASSERT_EQ(Quantize(dir_ / "model", {"--calibration", "sample", "--evaluation", dir_ / "c.txt", "--window", "128"}),
            ExitCode::kOk)
      << err_.str();
  const v1::JobSpec first = service_.seen.spec;
  ASSERT_EQ(first.calibration_size(), 2);
  EXPECT_EQ(first.calibration(0).display_name(), "c.txt");
  EXPECT_EQ(first.calibration(1).display_name(), kSampleName);
  EXPECT_EQ(first.calibration(1).tokens(), 32768) << "they share what is wanted";
  ASSERT_EQ(first.evaluation_size(), 2);
  EXPECT_EQ(first.evaluation(1).tokens(), 32768) << "each is measured by itself";
  EXPECT_EQ(first.evaluation(1).blob().sha256(), first.calibration(0).blob().sha256());
  ASSERT_EQ(Run({"job", "clone", "j1", "--evaluation", dir_ / "e.txt", "--calibration-tokens", "4096"}), ExitCode::kOk)
      << err_.str();
  EXPECT_EQ(service_.seen.spec.calibration(1).tokens(), 2048);
  EXPECT_EQ(service_.seen.spec.calibration(1).blob().sha256(), first.calibration(1).blob().sha256());
  ASSERT_EQ(service_.seen.spec.evaluation_size(), 1) << "those that are given take the place of all";
  EXPECT_EQ(service_.seen.spec.evaluation(0).window(), 128);
  std::vector<std::string> many;
  for (int t = 0; t < 8; ++t) many.insert(many.end(), {"--evaluation", dir_ / "e.txt"});
  EXPECT_EQ(Quantize(dir_ / "model", many), ExitCode::kUsage);
  EXPECT_TRUE(Said("TOO_MANY_TEXTS")) << err_.str();
}

TEST_F(QuantizeTest, QuestionsAndSample) {
  EXPECT_THAT(WriteWholeFile(dir_ / "arc.jsonl", "{}"), IsOk());
  ASSERT_EQ(Quantize(dir_ / "model", {"--choices", dir_ / "arc.jsonl", "--questions", "100", "--sample", "Once upon",
                                      "--sample-tokens", "9"}),
            ExitCode::kOk)
      << err_.str();
  const v1::JobSpec& spec = service_.seen.spec;
  ASSERT_EQ(spec.choices_size(), 1);
  EXPECT_EQ(spec.choices(0).display_name(), "arc.jsonl");
  EXPECT_EQ(spec.choices(0).questions(), 100);
  EXPECT_EQ(spec.choices(0).blob().sha256(), DigestOf("{}").sha256);
  EXPECT_EQ(spec.sample().prompt(), "Once upon");
  EXPECT_EQ(spec.sample().tokens(), 9);
  EXPECT_THAT(WriteWholeFile(dir_ / "empty.jsonl", ""), IsOk());
  EXPECT_EQ(Quantize(dir_ / "model", {"--choices", dir_ / "empty.jsonl"}), ExitCode::kUsage);
  EXPECT_TRUE(Said("DATA_TOO_SHORT")) << err_.str();
  ASSERT_EQ(Quantize(dir_ / "model", {"--sample-tokens", "0", "--force"}), ExitCode::kOk);
  EXPECT_FALSE(service_.seen.spec.has_sample());
  ASSERT_EQ(Quantize(dir_ / "model", {"--force"}), ExitCode::kOk);
  EXPECT_TRUE(service_.seen.spec.has_sample());
  EXPECT_EQ(service_.seen.spec.sample().tokens(), 0) << "the service's default";
  EXPECT_EQ(service_.seen.spec.sample().prompt(), "");
}

TEST_F(QuantizeTest, JobsAreClonedWithChangesAndTriedAgain) {
  ASSERT_EQ(Quantize(dir_ / "model", {"--label", "team=nlp", "--window", "128"}), ExitCode::kOk) << err_.str();
  const v1::JobSpec first = service_.seen.spec;
  EXPECT_EQ(first.labels().at("team"), "nlp");
  ASSERT_EQ(Run({"job", "clone", "j1", "--budget", "3bpw", "--label", "run=2"}), ExitCode::kOk) << err_.str();
  v1::JobSpec expected = first;
  expected.mutable_budget()->set_average_bits(3);
  (*expected.mutable_labels())["run"] = "2";
  EXPECT_EQ(DeterministicBytes(service_.seen.spec), DeterministicBytes(expected));
  ASSERT_EQ(Run({"job", "clone", "j1", "--calibration", dir_ / "e.txt", "--budget", "3bpw,5bpw"}), ExitCode::kOk);
  EXPECT_EQ(service_.seen.spec.calibration(0).blob().sha256(), first.evaluation(0).blob().sha256());
  EXPECT_EQ(service_.seen.spec.calibration(0).window(), 128);
  EXPECT_EQ(out_.str(), "jobs/j1\n");
  EXPECT_EQ(service_.seen.spec.goals_size(), 2);
  ASSERT_EQ(Run({"job", "retry", "j1"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.retried, "jobs/j1");
  EXPECT_EQ(out_.str(), "jobs/j2\n");
}

TEST_F(QuantizeTest, AWishForADeviceIsTheJobs) {
  ASSERT_EQ(Quantize(dir_ / "model", {"--device", "cuda"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.spec.device(), "cuda");
  ASSERT_EQ(Run({"job", "clone", "j1", "--budget", "3bpw"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.spec.device(), "cuda");
  ASSERT_EQ(Run({"job", "clone", "j1", "--device", "any"}), ExitCode::kOk) << err_.str();
  EXPECT_EQ(service_.seen.spec.device(), "");
}

TEST_F(QuantizeTest, ListsAskForLabelsAndOrder) {
  ASSERT_EQ(Run({"job", "list", "--filter", "state = RUNNING", "--label", "team=\"x\"", "--order", "oldest"}),
            ExitCode::kOk);
  EXPECT_EQ(service_.seen.filters.back(), "state = RUNNING AND labels.team = \"\\\"x\\\"\"");
  EXPECT_EQ(service_.seen.order, "create_time");
}

TEST_F(QuantizeTest, ErrorsOfArgumentsAreJsonToo) {
  EXPECT_EQ(Run({"quantize", "--jso", "--json"}), ExitCode::kUsage);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["error"]["reason"], "ARGUMENT_INVALID");
  EXPECT_EQ(Run({"version", "--json"}), ExitCode::kOk);
  EXPECT_FALSE(nlohmann::json::parse(out_.str())["version"].get<std::string>().empty());
}

TEST_F(QuantizeTest, WatchStreamsObjectsAndSaysThatTheJobGoesOn) {
  ASSERT_EQ(Quantize(dir_ / "model"), ExitCode::kOk);
  ASSERT_EQ(Run({"job", "watch", "j1", "--json"}), ExitCode::kOk);
  std::istringstream lines(out_.str());
  std::string last;
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) last = line;
  EXPECT_EQ(count, 2) << out_.str();
  EXPECT_EQ(nlohmann::json::parse(last)["state"], "SUCCEEDED");
}

TEST_F(QuantizeTest, PlanNeedsNoBudget) {
  ASSERT_EQ(Run({"plan", dir_ / "model"}), ExitCode::kOk) << err_.str();
  EXPECT_FALSE(service_.seen.spec.has_budget());
  ASSERT_EQ(Run({"plan", dir_ / "model", "--budget", "3bpw,4bpw"}), ExitCode::kOk) << err_.str();
  EXPECT_NE(out_.str().find("A job for 3bpw, 4bpw"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("\n\n4bpw\n  artifact"), std::string::npos) << out_.str();
  EXPECT_EQ(service_.seen.create_jobs, 0);
}

}  // namespace
}  // namespace bitwright::client
