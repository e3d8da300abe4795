#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "google/protobuf/text_format.h"
#include "proto/contract/model_parts.h"
#include "proto/contract/task_names.h"
#include "server/jobs/expand.h"
#include "server/jobs/expand_model.h"
#include "server/jobs/resolve.h"
#include "server/jobs/task_digest.h"
#include "server/jobs/texts.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

// One node as text: key, params on one line, fixed inputs by name, links.
std::string Describe(const TaskNode& node) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  v1::TaskSpec params = node.spec;
  params.clear_inputs();
  params.clear_kind();
  if (params.has_profile()) params.mutable_profile()->clear_recipe();
  if (params.has_check()) params.mutable_check()->clear_recipe();
  if (params.has_allocate()) params.mutable_allocate()->clear_recipe();
  if (params.has_report()) params.mutable_report()->clear_recipe();
  std::string text;
  printer.PrintToString(params, &text);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  std::string result = node.key + (node.numeric ? " (numeric)" : "") + "\n  " + text + "\n";
  for (const auto& input : node.spec.inputs()) result += "  " + input.name() + "\n";
  for (const auto& link : node.links) result += "  " + link.input + " <- " + link.from + " : " + link.output + "\n";
  return result;
}

std::string Describe(const std::vector<TaskNode>& nodes) {
  std::string text;
  for (const TaskNode& node : nodes) text += Describe(node);
  return text;
}

// BITWRIGHT_UPDATE_GOLDEN=1 writes the file anew: read the difference before it is committed.
void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = SourcePath("tests/golden/jobs/" + name);
  if (std::getenv("BITWRIGHT_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ostringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(text, golden.str()) << path;
}

// Two token shards and two block ranges, so that every kind of link is there.
ResolvedJob SmallJob() {
  ResolvedJob job = Job(Shape{.blocks = 2, .hidden = 64, .intermediate = 128, .vocabulary = 4096});
  auto model = std::make_shared<v1::Model>(*job.model);
  model->mutable_info()->set_largest_block_bytes(int64_t{3} << 30);
  model->mutable_info()->set_tensor_bytes(int64_t{6} << 30);
  job.model = model;
  return job;
}

TEST(Expand, EveryLevelOfASmallJobIsGolden) {
  const ResolvedJob job = SmallJob();
  size_t before = 0;
  for (int level = 0; level <= 4; ++level) {
    ASSERT_OK_AND_ASSIGN(Expansion expansion, Expand(job, FactsAt(job, level, 40, 20, 2)));
    EXPECT_EQ(expansion.complete, level == 4);
    const std::vector<TaskNode> added(expansion.nodes.begin() + before, expansion.nodes.end());
    ExpectGolden("small_job_" + std::to_string(level) + ".txt", Describe(added));
    before = expansion.nodes.size();
  }
}

// Two texts to calibrate on, of 24 and 16 windows, and two to measure on, of 20 and 3.
ResolvedJob JobOfTexts() {
  ResolvedJob job = SmallJob();
  for (auto* texts : {job.spec.mutable_calibration(), job.spec.mutable_evaluation()}) {
    v1::Data& more = *texts->Add();
    more = texts->at(0);
    more.set_tokens(4096);
    *more.mutable_blob() = FakeDigest("more", 5000);
  }
  job.spec.mutable_calibration(1)->set_kind(v1::Data::DOCUMENTS_JSONL);
  return job;
}

Facts FactsOfTexts(const ResolvedJob& job, int level) {
  Facts facts = FactsAt(job, level, 40, 20, 2);
  if (level == 0) return facts;
  for (const int windows : {24, 16}) {
    auto& text = *facts.calibration->add_texts();
    text.set_windows(windows);
    text.set_tokens_in_file(windows * 512);
  }
  LearnEvaluation(1, Summary(3, 512), facts);
  return facts;
}

TEST(Expand, EveryLevelOfAJobOfSeveralTextsIsGolden) {
  const ResolvedJob job = JobOfTexts();
  std::string text;
  size_t before = 0;
  for (int level = 0; level <= 4; ++level) {
    ASSERT_OK_AND_ASSIGN(Expansion expansion, Expand(job, FactsOfTexts(job, level)));
    const std::set<std::string> kinds = {"tokenize", "reference", "evaluate", "select", "report"};
    for (size_t i = before; i < expansion.nodes.size(); ++i) {
      if (kinds.contains(expansion.nodes[i].spec.kind())) text += Describe(expansion.nodes[i]);
    }
    before = expansion.nodes.size();
  }
  ExpectGolden("several_texts.txt", text);
}

// What was done on a text is not done again because another comes beside it.
TEST(Expand, ATextMoreToMeasureOnChangesNoTaskOfTheOthers) {
  const ResolvedJob one = SmallJob();
  ResolvedJob two = one;
  *two.spec.add_evaluation() = JobOfTexts().spec.evaluation(1);
  Facts facts = FactsAt(two, 2, 40, 20, 2);
  LearnEvaluation(1, Summary(3, 512), facts);
  ASSERT_OK_AND_ASSIGN(const Expansion a, Expand(one, FactsAt(one, 2, 40, 20, 2)));
  ASSERT_OK_AND_ASSIGN(const Expansion b, Expand(two, facts));
  std::map<std::string, std::string> made;  // key → what a node is
  for (const TaskNode& node : b.nodes) made[node.key] = TaskDigest(node.spec) + Describe(node);
  for (const TaskNode& node : a.nodes) {
    EXPECT_EQ(made[node.key] == TaskDigest(node.spec) + Describe(node), node.key != "select") << node.key;
  }
}

// A job that asks questions of two files and for a sample.
ResolvedJob AskingJob() {
  ResolvedJob job = SmallJob();
  for (const char* name : {"arc.jsonl", "piqa.jsonl"}) {
    v1::ChoiceFile& file = *job.spec.add_choices();
    file.set_display_name(name);
    file.set_questions(7);
    *file.mutable_blob() = FakeDigest(name, 3000);
  }
  job.spec.mutable_sample()->set_tokens(16);
  return job;
}

v1::QuestionsSummary QuestionsOfShards(const std::vector<int>& windows) {
  v1::QuestionsSummary summary;
  for (size_t s = 0; s < windows.size(); ++s) {
    auto& shard = *summary.add_shards();
    shard.mutable_sequences()->set_begin(static_cast<int>(100 * s));
    shard.mutable_sequences()->set_end(static_cast<int>(100 * s) + 100);
    shard.set_window(windows[s]);
  }
  return summary;
}

TEST(Expand, QuestionsAndSampleComeOnceAPlanIsSelected) {
  const ResolvedJob job = AskingJob();
  Facts facts = FactsAt(job, 4, 40, 20, 2);
  LearnQuestions(0, QuestionsOfShards({20, 40}), facts);
  ASSERT_OK_AND_ASSIGN(const Expansion waiting, Expand(job, facts));
  EXPECT_FALSE(waiting.complete) << "one file is not read yet";
  EXPECT_EQ(waiting.nodes.back().key, "select");
  LearnQuestions(1, QuestionsOfShards({30}), facts);
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, facts));
  EXPECT_TRUE(expansion.complete);
  const std::set<std::string> kinds = {"questions", "score", "grade", "sample", "report"};
  std::string text;
  for (const TaskNode& node : expansion.nodes) {
    if (kinds.contains(node.spec.kind())) text += Describe(node);
    EXPECT_TRUE(node.spec.kind() != "score" || node.cost_flops > 0) << node.key;
  }
  ExpectGolden("questions.txt", text);
  // Another plan: the unquantized model has answered already.
  Facts other = facts;
  other.goal(0).selection->set_selected(0);
  ASSERT_OK_AND_ASSIGN(const Expansion again, Expand(job, other));
  ASSERT_EQ(again.nodes.size(), expansion.nodes.size());
  for (size_t i = 0; i < again.nodes.size(); ++i) {
    const std::string& key = again.nodes[i].key;
    const bool of_plan =
        key == "assemble" || key == "sample[1]" || key.starts_with("score[0,1") || key.starts_with("score[1,1");
    EXPECT_EQ(Describe(again.nodes[i]) != Describe(expansion.nodes[i]), of_plan) << key;
  }
}

TEST(Expand, OneOfSeveralTextsIsNotKnownYet) {
  const ResolvedJob job = JobOfTexts();
  Facts facts = FactsOfTexts(job, 1);
  facts.evaluation[0].reset();
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, facts));
  EXPECT_EQ(expansion.nodes.size(), 3) << "tokenizations";
  EXPECT_EQ(EvaluationTextOf(expansion.nodes[1].key), 0);
  EXPECT_EQ(EvaluationTextOf(expansion.nodes[2].key), 1);
  EXPECT_EQ(EvaluationTextOf(expansion.nodes[0].key), std::nullopt);
}

TEST(Expand, ATextWithoutAWholeWindowIsNamedAmongSeveral) {
  const ResolvedJob job = JobOfTexts();
  Facts facts = FactsOfTexts(job, 1);
  facts.calibration->mutable_texts(1)->set_windows(0);
  facts.calibration->mutable_texts(1)->set_tokens_in_file(77);
  const auto calibration = Expand(job, facts);
  EXPECT_THAT(calibration, HasReason("DATA_TOO_SHORT"));
  EXPECT_THAT(std::string(calibration.status().message()), HasSubstr("calibration[1] data has 77 tokens"));
  facts = FactsOfTexts(job, 1);
  facts.evaluation[1]->set_windows(0);
  const auto evaluation = Expand(job, facts);
  EXPECT_THAT(evaluation, HasReason("DATA_TOO_SHORT"));
  EXPECT_THAT(std::string(evaluation.status().message()), HasSubstr("evaluation[1] data has"));
}

TEST(Expand, HeldOutWindowsAreSharedByTheTexts) {
  for (int count = 1; count <= 8; ++count) {
    int all = 0;
    for (int t = 0; t < count; ++t) {
      EXPECT_GE(HeldOutShare(t, count), 2);
      all += HeldOutShare(t, count);
    }
    EXPECT_EQ(all, 16);
  }
}

// GPTQ rounds by factors: whoever writes the statistics that it reads makes them, and nobody else. RTN needs H.
TEST(Expand, FactorsAreMadeOnceWhereStatisticsAreComplete) {
  for (const bool merges : {false, true}) {
    for (const auto method : {v1::ROUNDING_METHOD_GPTQ, v1::ROUNDING_METHOD_RTN}) {
      ResolvedJob job = SmallJob();
      job.recipe.mutable_rounding()->set_method(method);
      job.recipe.mutable_rounding()->set_act_order(true);
      job.recipe.mutable_rounding()->set_damping(0.03);
      ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, FactsAt(job, 2, merges ? 40 : 2, 20, 2)));
      int made = 0;
      for (const TaskNode& node : expansion.nodes) {
        const bool writes = node.spec.kind() == (merges ? TaskKind::kMerge : TaskKind::kCalibrate);
        const v1::Factoring& factoring = merges ? node.spec.merge().factoring() : node.spec.calibrate().factoring();
        const bool factorizes = node.spec.merge().has_factoring() || node.spec.calibrate().has_factoring();
        EXPECT_EQ(factorizes, writes && method == v1::ROUNDING_METHOD_GPTQ) << node.key;
        if (!factorizes) continue;
        EXPECT_TRUE(factoring.act_order());
        EXPECT_EQ(factoring.damping(), 0.03);
        ++made;
      }
      EXPECT_EQ(made, method == v1::ROUNDING_METHOD_GPTQ ? 2 : 0) << "one for each range of blocks";
    }
  }
}

// A worker that has nothing fetches what a task's pieces take: one range of blocks, not the model.
TEST(Expand, TasksNameThePartsOfTheModelThatTheyRead) {
  const ResolvedJob job = SmallJob();
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, FactsAt(job, 4, 40, 20, 3)));
  std::set<std::string> kinds;
  for (const TaskNode& node : expansion.nodes) {
    std::set<std::string> named, wanted;
    const PartsRead read = PartsReadBy(node.spec, job.model->info().blocks());
    for (const v1::ModelPiece& piece : job.model->info().pieces()) {
      if (read.Has({piece.part(), piece.block()})) wanted.insert(piece.piece().digest().sha256());
    }
    bool reads_weights = false;
    for (const v1::TaskInput& input : node.spec.inputs()) {
      reads_weights = reads_weights || input.name().ends_with(".safetensors");
      for (const v1::FilePiece& piece : input.pieces()) named.insert(piece.digest().sha256());
    }
    if (!reads_weights) continue;
    kinds.insert(node.spec.kind());
    EXPECT_EQ(named, wanted) << node.key;
    if (node.key == TaskKey(TaskKind::kCheck, 0)) continue;  // from the first block to the end
    EXPECT_LT(named.size(), static_cast<size_t>(job.model->info().pieces_size())) << node.key;
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"assemble", "calibrate", "check", "curvature", "evaluate", "profile",
                                          "quantize", "reference"}));
}

TEST(Expand, EveryLinkComesFromAnEarlierNodeAndKeysAreUnique) {
  const ResolvedJob job = SmallJob();
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, FactsAt(job, 4, 40, 20, 3)));
  std::set<std::string> keys;
  for (const TaskNode& node : expansion.nodes) {
    for (const auto& link : node.links) EXPECT_TRUE(keys.contains(link.from)) << node.key << " <- " << link.from;
    EXPECT_TRUE(keys.insert(node.key).second) << node.key;
    EXPECT_EQ(node.key.substr(0, node.key.find('[')), node.spec.kind());
    EXPECT_GE(node.memory.bytes, int64_t{32} << 20) << node.key << ": no process is smaller";
  }
}

TEST(Expand, OneSummaryAloneAddsNothing) {
  const ResolvedJob job = SmallJob();
  Facts facts = FactsAt(job, 1, 40, 20, 1);
  facts.evaluation.clear();
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, facts));
  EXPECT_EQ(expansion.nodes.size(), 2);
}

TEST(Expand, FewCalibrationWindowsLimitTheProfile) {
  const ResolvedJob job = SmallJob();
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, FactsAt(job, 1, 3, 20, 1)));
  for (const TaskNode& node : expansion.nodes) {
    if (node.key.starts_with("reference[profile")) {
      EXPECT_EQ(node.spec.reference().windows().end(), 3);
    }
    if (node.spec.has_curvature()) {
      EXPECT_EQ(node.spec.curvature().windows().end(), 3);
    }
    if (node.spec.has_check()) {
      EXPECT_EQ(node.spec.check().windows().end(), 3);
    }
  }
}

// Curvature in shards of 16 windows; checks measure on the first.
TEST(Expand, ManyProfileWindowsAreSharded) {
  ResolvedJob job = SmallJob();
  job.recipe.mutable_sensitivity()->set_windows(40);
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, FactsAt(job, 1, 80, 20, 1)));
  std::set<std::string> keys;
  for (const TaskNode& node : expansion.nodes) {
    keys.insert(node.key);
    if (node.spec.has_check()) {
      EXPECT_EQ(node.spec.check().windows().end(), 16);
    }
    if (node.key == "profile[1]") {
      for (const char* from : {"curvature[0,1]", "curvature[1,1]", "curvature[2,1]"}) {
        EXPECT_TRUE(std::any_of(node.links.begin(), node.links.end(), [&](const auto& link) {
          return link.from == from;
        })) << from;
      }
    }
  }
  EXPECT_TRUE(keys.contains("reference[profile,2,1]"));
  EXPECT_FALSE(keys.contains("reference[profile,3,0]"));
}

TEST(Expand, TokenIdsNeedNoTokenizer) {
  v1::JobSpec spec = Spec();
  spec.mutable_calibration(0)->set_kind(v1::Data::TOKEN_IDS_JSONL);
  ASSERT_OK_AND_ASSIGN(const ResolvedJob job, Resolve(spec, std::make_shared<v1::Model>(Model({})), {}, MixedGptq()));
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, {}));
  EXPECT_EQ(expansion.nodes[0].spec.inputs_size(), 1);
  EXPECT_EQ(expansion.nodes[0].spec.inputs(0).name(), "data");
  EXPECT_EQ(expansion.nodes[1].spec.inputs_size(), 2);
}

TEST(Expand, DocumentsNeedTheTokenizerAndItsChatTemplates) {
  v1::Model model = Model({});
  for (const char* path : {"chat_template.jinja", "tokenizer_config.json"}) {
    auto* file = model.mutable_manifest()->add_files();
    file->set_path(path);
    *file->mutable_digest() = FakeDigest(path, 10);
    model.mutable_info()->add_files(path);
    model.mutable_info()->add_carried_files(path);
  }
  ASSERT_OK_AND_ASSIGN(ResolvedJob job, Resolve(Spec(), std::make_shared<v1::Model>(model), {}, MixedGptq()));
  job.spec.mutable_calibration(0)->set_kind(v1::Data::DOCUMENTS_JSONL);
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, {}));
  std::vector<std::string> inputs;
  for (const auto& input : expansion.nodes[0].spec.inputs()) inputs.push_back(input.name());
  EXPECT_EQ(inputs, (std::vector<std::string>{"data", "model/chat_template.jinja", "model/tokenizer.json",
                                              "model/tokenizer_config.json"}));
}

TEST(Expand, FilesThatAreNotTheModelChangeNoTask) {
  const ResolvedJob job = SmallJob();
  ResolvedJob more = job;
  auto model = std::make_shared<v1::Model>(*job.model);
  for (const char* path : {"consolidated.safetensors", "onnx/model.onnx", "pytorch_model.bin", "notes.txt"}) {
    auto* file = model->mutable_manifest()->add_files();
    file->set_path(path);
    *file->mutable_digest() = FakeDigest(path, int64_t{7} << 30);
  }
  more.model = model;
  ASSERT_OK_AND_ASSIGN(const Expansion a, Expand(job, FactsAt(job, 4, 40, 20, 2)));
  ASSERT_OK_AND_ASSIGN(const Expansion b, Expand(more, FactsAt(job, 4, 40, 20, 2)));
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (size_t i = 0; i < a.nodes.size(); ++i) {
    EXPECT_EQ(TaskDigest(a.nodes[i].spec), TaskDigest(b.nodes[i].spec)) << a.nodes[i].key;
  }
}

TEST(Expand, DataWithoutAWholeWindowIsNamed) {
  const ResolvedJob job = SmallJob();
  Facts facts;
  v1::TokenizeSummary& summary = facts.evaluation.emplace_back().emplace();
  summary.set_window(512);
  summary.set_tokens_in_file(500);
  const auto expansion = Expand(job, facts);
  EXPECT_THAT(expansion, HasReason("DATA_TOO_SHORT"));
  EXPECT_THAT(std::string(expansion.status().message()), HasSubstr("evaluation data has 500 tokens"));
}

// A recipe that differs only in what profile does not look at finds its sensitivities in the action cache.
TEST(Expand, ProfileIsSharedBetweenRecipes) {
  const ResolvedJob job = SmallJob();
  ResolvedJob uniform = job;
  uniform.recipe.set_name("uniform-gptq");
  uniform.goals[0].recipe.mutable_candidates()->set_mixed(false);
  uniform.goals[0].goal.mutable_budget()->set_average_bits(3);
  ASSERT_OK_AND_ASSIGN(const Expansion a, Expand(job, FactsAt(job, 1, 40, 20, 1)));
  ASSERT_OK_AND_ASSIGN(const Expansion b, Expand(uniform, FactsAt(job, 1, 40, 20, 1)));
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (size_t i = 0; i < a.nodes.size(); ++i) {
    EXPECT_EQ(TaskDigest(a.nodes[i].spec) == TaskDigest(b.nodes[i].spec), a.nodes[i].key != "allocate");
  }
}

// What names a job, its recipe or its data goes into the report and the card, and into no other task.
TEST(Expand, RenamingRunsNothingAgain) {
  const ResolvedJob job = SmallJob();
  ResolvedJob renamed = job;
  renamed.recipe.set_name("other");
  renamed.recipe.set_description("another");
  renamed.goals[0].recipe = renamed.recipe;
  renamed.spec.set_display_name("another job");
  renamed.spec.mutable_calibration(0)->set_display_name("a text");
  (*renamed.spec.mutable_labels())["team"] = "nlp";
  const std::set<std::string> named = {"select", "assemble", "report"};
  ASSERT_OK_AND_ASSIGN(const Expansion a, Expand(job, FactsAt(job, 4, 40, 20, 2)));
  ASSERT_OK_AND_ASSIGN(const Expansion b, Expand(renamed, FactsAt(job, 4, 40, 20, 2)));
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (size_t i = 0; i < a.nodes.size(); ++i) {
    EXPECT_EQ(TaskDigest(a.nodes[i].spec) == TaskDigest(b.nodes[i].spec), !named.contains(a.nodes[i].spec.kind()))
        << a.nodes[i].key;
  }
  const v1::ReportParams& report = b.nodes.back().spec.report();
  EXPECT_EQ(report.job_display_name(), "another job");
  EXPECT_EQ(report.spec().calibration(0).display_name(), "a text");
  EXPECT_EQ(report.spec().labels_size(), 0);
}

TEST(Expand, SmallTasksAreMarked) {
  const ResolvedJob job = SmallJob();
  const std::set<std::string> small = {"tokenize", "allocate", "select", "report"};
  ASSERT_OK_AND_ASSIGN(const Expansion expansion, Expand(job, FactsAt(job, 4, 40, 20, 2)));
  for (const TaskNode& node : expansion.nodes) {
    EXPECT_EQ(node.small, small.contains(node.spec.kind())) << node.key;
    EXPECT_FALSE(node.small && node.numeric) << node.key;
  }
  EXPECT_TRUE(InspectNode(job.model->manifest()).small);
}

TEST(Expand, InspectReadsEveryFile) {
  const v1::Model model = Model({});
  const TaskNode node = InspectNode(model.manifest());
  EXPECT_EQ(node.key, "inspect");
  EXPECT_EQ(node.spec.kind(), "inspect");
  EXPECT_EQ(node.spec.inputs_size(), model.manifest().files_size());
  EXPECT_FALSE(node.numeric);
}

TEST(Expand, AModelInItsOwnFormIsInspectedAndNoMore) {
  const v1::Model model = Model({});
  ModelFacts facts;
  EXPECT_FALSE(ExpandModel(model.manifest(), facts).complete);
  facts.given = model.info();
  const Expansion expansion = ExpandModel(model.manifest(), facts);
  EXPECT_TRUE(expansion.complete);
  ASSERT_EQ(expansion.nodes.size(), 1U);
  EXPECT_EQ(expansion.nodes[0].spec.SerializeAsString(), InspectNode(model.manifest()).spec.SerializeAsString());
  EXPECT_EQ(facts.info(), &*facts.given);
}

TEST(Expand, AModelInAnotherFormIsImportedAndInspectedAgain) {
  v1::Manifest given = Model({}).manifest();
  ModelFacts facts;
  facts.given.emplace();
  facts.given->mutable_imported()->set_form(v1::Import::FP8);
  facts.given->add_files("config.json");
  const Expansion two = ExpandModel(given, facts);
  ASSERT_EQ(two.nodes.size(), 2U);
  EXPECT_EQ(two.nodes[1].key, "import");
  EXPECT_EQ(two.nodes[1].spec.kind(), "import");
  ASSERT_EQ(two.nodes[1].spec.inputs_size(), 1) << "what inspection named, and no more";
  EXPECT_EQ(two.nodes[1].spec.inputs(0).name(), "model/config.json");
  EXPECT_FALSE(two.nodes[1].small) << "it reads and writes all weights";
  EXPECT_FALSE(two.complete);
  EXPECT_EQ(facts.info(), nullptr);

  facts.rewritten = Model({}).manifest();
  const Expansion three = ExpandModel(given, facts);
  ASSERT_EQ(three.nodes.size(), 3U);
  EXPECT_EQ(three.nodes[2].key, "inspect[imported]");
  EXPECT_EQ(three.nodes[2].spec.inspect().imported().form(), v1::Import::FP8);
  EXPECT_EQ(three.nodes[2].links.size(), static_cast<size_t>(facts.rewritten->files_size()));
  for (const TaskNode::Link& link : three.nodes[2].links) {
    EXPECT_EQ(link.from, "import");
    EXPECT_EQ(link.output.substr(5), link.input.substr(6));
  }
  facts.imported = Model({}).info();
  EXPECT_TRUE(ExpandModel(given, facts).complete);
  EXPECT_EQ(facts.info(), &*facts.imported);
}

TEST(Expand, JobsReadWhatAnImportMade) {
  v1::Model model = Model({});
  *model.mutable_imported() = model.manifest();
  for (v1::FileEntry& file : *model.mutable_imported()->mutable_files()) {
    *file.mutable_digest() = FakeDigest("imported " + file.path(), 7);
  }
  const ModelInputs inputs(model);
  ASSERT_FALSE(inputs.Of(ModelFiles::kAll).empty());
  for (const v1::TaskInput& input : inputs.Of(ModelFiles::kAll))
    EXPECT_EQ(input.digest().size_bytes(), 7) << input.name();
}

}  // namespace
}  // namespace bitwright::server
