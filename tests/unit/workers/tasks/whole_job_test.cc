#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/fixtures.h"
#include "tests/support/local_job.h"
#include "tests/support/small_model.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"
#include "workers/checkpoint/safetensors.h"

namespace bitwright::worker {
namespace {

constexpr char kText[] =
    "A build is a graph of tasks; a task is a pure function of its inputs. The same inputs give the same bytes, on one "
    "worker or on fifty, after any crash and any retry. ";

std::string LongText(int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += std::to_string(i) + " " + kText;
  return text;
}

v1::JobSpec SpecOf(const v1::Digest& calibration, const v1::Digest& evaluation, int window, int64_t tokens) {
  v1::JobSpec spec;
  spec.set_target("compressed-tensors");
  spec.mutable_budget()->set_average_bits(4.5);
  for (auto* data : {spec.add_calibration(), spec.add_evaluation()}) {
    data->set_kind(v1::Data::TEXT);
    data->set_window(window);
    data->set_tokens(tokens);
  }
  *spec.mutable_calibration(0)->mutable_blob() = calibration;
  *spec.mutable_evaluation(0)->mutable_blob() = evaluation;
  return spec;
}

// Runs a job on the model in `model_dir` and checks what every report must hold; the artifact lands in `out`.
void RunAndCheck(const std::string& model_dir, const std::string& calibration, const std::string& evaluation,
                 int window, int64_t tokens, int threads, const TempDir& out, v1::Report& report) {
  const TempDir blobs;
  ThreadPool pool(threads);
  LocalJobs jobs(blobs.path(), pool);
  ASSERT_OK_AND_ASSIGN(const v1::Model model, jobs.AddModel(model_dir));
  ASSERT_OK_AND_ASSIGN(const v1::Digest first, jobs.AddBytes(calibration));
  ASSERT_OK_AND_ASSIGN(const v1::Digest second, jobs.AddBytes(evaluation));
  ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, ShippedRecipe("mixed-gptq"));
  ASSERT_OK_AND_ASSIGN(const auto result, jobs.Run(model, SpecOf(first, second, window, tokens), recipe));
  report = result.report;
  BITWRIGHT_ASSERT_OK(jobs.Export(report.artifact(), out.path()));

  ASSERT_GE(report.candidates_size(), 2) << "the optimizer's plan and a uniform one";
  const v1::Candidate* selected = nullptr;
  for (const v1::Candidate& candidate : report.candidates()) {
    EXPECT_LE(candidate.average_bits(), 4.5) << candidate.name();
    if (candidate.name() == report.selected()) selected = &candidate;
  }
  ASSERT_NE(selected, nullptr);
  ASSERT_TRUE(report.has_choice());
  const v1::Trial& chosen = report.choice().trials(report.choice().selected());
  EXPECT_EQ(chosen.name(), report.selected());
  EXPECT_GE(report.choice().trials_size(), report.candidates_size());
  for (const v1::Trial& trial : report.choice().trials()) {
    EXPECT_LE(chosen.kl_divergence(), trial.kl_divergence()) << "the best one on the held-out text wins";
  }
  ASSERT_EQ(report.allocation().checks_size(), 2);
  for (const v1::WidthCheck& check : report.allocation().checks()) {
    EXPECT_GT(check.measured(), 0.3 * check.predicted()) << check.bits();
    EXPECT_LT(check.measured(), 5 * check.predicted()) << check.bits();
  }
  EXPECT_GE(report.allocation().gap(), 0);
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(out.path()))
    bytes += static_cast<int64_t>(entry.file_size());
  EXPECT_EQ(report.artifact_bytes(), bytes);
  EXPECT_EQ(selected->artifact_bytes(), bytes);
  EXPECT_THAT(SafetensorsFile::Open(out / "model.safetensors", "model.safetensors"), IsOk());
}

TEST(WholeJob, OnASmallModelTheNumberOfThreadsChangesNoByteOfTheArtifact) {
  const TempDir model, one, three;
  SmallModel::Make().Write(model.path());
  v1::Report first, second;
  RunAndCheck(model.path(), LongText(20), LongText(12), 32, 512, 1, one, first);
  RunAndCheck(model.path(), LongText(20), LongText(12), 32, 512, 3, three, second);
  ASSERT_EQ(first.artifact().files_size(), second.artifact().files_size());
  for (int i = 0; i < first.artifact().files_size(); ++i) {
    EXPECT_EQ(first.artifact().files(i).path(), second.artifact().files(i).path());
    EXPECT_EQ(first.artifact().files(i).digest().sha256(), second.artifact().files(i).digest().sha256())
        << first.artifact().files(i).path();
  }
}

TEST(WholeJob, OnTheShippedSampleTheArtifactIsFarSmallerAndCloseToTheModel) {
  const std::string sample = SourcePath("deploy/sample");
  const TempDir model, out;
  for (const char* name : {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}) {
    std::filesystem::copy(sample + "/" + name, model / name);
  }
  ASSERT_OK_AND_ASSIGN(const std::string calibration, ReadFile(sample + "/calibration.txt"));
  ASSERT_OK_AND_ASSIGN(const std::string evaluation, ReadFile(sample + "/evaluation.txt"));
  v1::Report report;
  RunAndCheck(model.path(), calibration, evaluation, 128, 4096, 2, out, report);
  EXPECT_LT(report.artifact_bytes(), report.model_bytes() * 6 / 10);
  for (const v1::Candidate& candidate : report.candidates()) {
    if (candidate.name() != report.selected()) continue;
    EXPECT_LT(candidate.kl_divergence().mean(), 0.1);
    EXPECT_LT(candidate.perplexity(), report.reference().perplexity() * 1.1);
  }
}

// The plan that is found meets the bound as the report measures it, the next smaller one does not, and a job with the
// budget of the same bytes makes the same plan.
TEST(WholeJob, ABoundOfQualityIsMetByTheSmallestPlanOfTheFront) {
  const TempDir model, blobs;
  SmallModel::Make().Write(model.path());
  ThreadPool pool(2);
  LocalJobs jobs(blobs.path(), pool);
  ASSERT_OK_AND_ASSIGN(const v1::Model added, jobs.AddModel(model.path()));
  ASSERT_OK_AND_ASSIGN(const v1::Digest calibration, jobs.AddBytes(LongText(20)));
  ASSERT_OK_AND_ASSIGN(const v1::Digest evaluation, jobs.AddBytes(LongText(12)));
  ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, ShippedRecipe("mixed-rtn"));
  v1::JobSpec spec = SpecOf(calibration, evaluation, 32, 512);
  ASSERT_OK_AND_ASSIGN(const auto middle, jobs.Run(added, spec, recipe));
  const double bound = middle.report.candidates(0).kl_divergence().mean();
  spec.mutable_budget()->set_max_kl_divergence(bound);
  ASSERT_OK_AND_ASSIGN(const auto result, jobs.Run(added, spec, recipe));
  const v1::Report& report = result.report;
  const v1::Candidate *selected = nullptr, *smaller = nullptr;
  for (const v1::Candidate& candidate : report.candidates()) {
    if (candidate.name() == report.selected()) selected = &candidate;
  }
  ASSERT_NE(selected, nullptr);
  for (const v1::Candidate& candidate : report.candidates()) {
    if (candidate.plan() + 1 == selected->plan()) smaller = &candidate;
    EXPECT_TRUE(candidate.kind() == v1::PLAN_KIND_UNIFORM || candidate.plan() >= selected->plan() ||
                candidate.kl_divergence().mean() > bound);
  }
  EXPECT_LE(selected->kl_divergence().mean(), bound);
  ASSERT_NE(smaller, nullptr);
  EXPECT_GT(smaller->kl_divergence().mean(), bound);
  EXPECT_LE(selected->average_bits(), 5) << "about what met it at 4.5 bits";
  EXPECT_EQ(report.artifact_bytes(), selected->artifact_bytes());
  EXPECT_FALSE(report.front().empty());
  spec.mutable_budget()->set_average_bits(selected->average_bits());
  ASSERT_OK_AND_ASSIGN(const auto again, jobs.Run(added, spec, recipe));
  const v1::Candidate& same = again.report.candidates(0);
  EXPECT_EQ(same.kind(), v1::PLAN_KIND_MIXED);
  EXPECT_DOUBLE_EQ(same.kl_divergence().mean(), selected->kl_divergence().mean());

  spec.mutable_budget()->set_max_kl_divergence(1e-12);
  ASSERT_OK_AND_ASSIGN(const auto lossless, jobs.Run(added, spec, recipe));
  EXPECT_GE(lossless.report.units(0).bits(), 16) << "units may stay as they are";
  v1::Recipe narrow = recipe;
  for (const int bits : {2, 3}) narrow.mutable_formats()->add_bits(bits);
  EXPECT_THAT(jobs.Run(added, spec, narrow), HasReason("BOUND_NOT_MET"));
}

TEST(WholeJob, DataWithoutOneWholeWindowIsRefused) {
  const TempDir model, blobs;
  SmallModel::Make().Write(model.path());
  ThreadPool pool(1);
  LocalJobs jobs(blobs.path(), pool);
  ASSERT_OK_AND_ASSIGN(const v1::Model added, jobs.AddModel(model.path()));
  ASSERT_OK_AND_ASSIGN(const v1::Digest text, jobs.AddBytes("short"));
  ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, ShippedRecipe("mixed-rtn"));
  EXPECT_THAT(jobs.Run(added, SpecOf(text, text, 64, 512), recipe), HasReason("DATA_TOO_SHORT"));
}

}  // namespace
}  // namespace bitwright::worker
