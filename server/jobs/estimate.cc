#include "server/jobs/estimate.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include "proto/base/log.h"
#include "server/jobs/budget_check.h"
#include "server/jobs/cuts.h"
#include "server/jobs/expand.h"
#include "server/jobs/recipe_check.h"
#include "server/jobs/texts.h"

namespace bitwright::server {
namespace {

constexpr int kAssumedUniform = 2;       // plans with one format that are worth measuring, where the recipe says "all"
constexpr double kBytesPerSecond = 5e8;  // copying and hashing
constexpr int64_t kBytesPerScoredToken = 25;  // of an evaluate output: three f64 and a byte

// The most that the budget lets the quantized weights of one plan take.
int64_t PlanBytes(const ResolvedJob& job, const PlanLimits& limits) {
  const v1::TargetInfo& target = *job.target();
  const v1::Budget& budget = job.spec.budget();
  const double bytes =
      budget.has_average_bits()
          ? budget.average_bits() * target.quantized_weights() / 8
          : static_cast<double>(budget.artifact_bytes() - target.kept_bytes() - target.overhead_bytes());
  return std::min(limits.largest_weight_bytes, static_cast<int64_t>(std::min(bytes, 9e18)));
}

int AssumedCandidates(const v1::Recipe& recipe) {
  const int uniform = recipe.candidates().uniform() == 0 ? kAssumedUniform : recipe.candidates().uniform();
  return std::min(uniform, kAssumedUniform) + (recipe.candidates().mixed() ? 1 : 0);
}

// A text of so many tokens.
v1::TokenizeSummary AssumedSummary(int64_t tokens, int window, int most_held_out) {
  v1::TokenizeSummary summary;
  summary.set_windows(static_cast<int>(std::max<int64_t>(1, tokens / window)));
  summary.set_window(window);
  summary.set_held_out_windows(std::min(most_held_out, summary.windows() / 8));
  return summary;
}

// A question is taken to have about kQuestionBytes, and four choices of kSequenceTokens tokens.
v1::QuestionsSummary AssumedQuestions(const v1::ChoiceFile& file) {
  constexpr int64_t kQuestionBytes = 600;
  constexpr int kSequenceTokens = 128, kShardSequences = 64;
  int64_t questions = std::max<int64_t>(1, file.blob().size_bytes() / kQuestionBytes);
  if (file.questions() > 0) questions = std::min<int64_t>(questions, file.questions());
  const int sequences = static_cast<int>(std::min<int64_t>(4 * questions, 1 << 20));
  v1::QuestionsSummary summary;
  for (int begin = 0; begin < sequences; begin += kShardSequences) {
    auto& shard = *summary.add_shards();
    shard.mutable_sequences()->set_begin(begin);
    shard.mutable_sequences()->set_end(std::min(sequences, begin + kShardSequences));
    shard.set_window(kSequenceTokens);
  }
  return summary;
}

// What a job is where nothing is known of it yet: files of the wanted length, plans of full size.
Facts WithAssumed(const ResolvedJob& job, Facts facts) {
  if (!facts.calibration) {
    int64_t tokens = 0;
    for (const v1::Data& text : job.spec.calibration()) tokens += text.tokens();
    facts.calibration = AssumedSummary(tokens, job.calibration_window(), kHeldOutWindows);
  }
  facts.evaluation.resize(static_cast<size_t>(job.spec.evaluation_size()));
  for (int t = 0; t < job.spec.evaluation_size(); ++t) {
    auto& summary = facts.evaluation[static_cast<size_t>(t)];
    if (!summary) summary = AssumedSummary(job.spec.evaluation(t).tokens(), job.evaluation_window(), 0);
  }
  facts.questions.resize(static_cast<size_t>(job.spec.choices_size()));
  for (int f = 0; f < job.spec.choices_size(); ++f) {
    auto& summary = facts.questions[static_cast<size_t>(f)];
    if (!summary) summary = AssumedQuestions(job.spec.choices(f));
  }
  if (!facts.allocation) {
    auto assumed = std::make_shared<v1::Allocation>();
    for (int c = 0; c < AssumedCandidates(job.recipe); ++c) {
      const bool mixed = c == 0 && job.recipe.candidates().mixed();
      assumed->add_candidates()->set_kind(mixed ? v1::PLAN_KIND_MIXED : v1::PLAN_KIND_UNIFORM);
    }
    facts.allocation = std::move(assumed);
  }
  if (!facts.choice) facts.choice.emplace().set_best_uniform(facts.allocation->candidates_size() - 1);
  if (!facts.selection) facts.selection.emplace();
  if (!facts.provenance) facts.provenance.emplace();
  return facts;
}

double IntermediateBytes(const ResolvedJob& job, const Facts& facts, int64_t plan_bytes) {
  const v1::ModelInfo& info = job.model->info();
  const Cuts cuts =
      CutJob(info, *job.target(), job.recipe, facts.calibration->windows(), facts.calibration->window(), {});
  const double calibration = double{1} * facts.calibration->windows() * facts.calibration->window();
  const double evaluation =
      static_cast<double>(WindowsOf(*EvaluationSummaries(job.spec, facts))) * job.evaluation_window();
  const double profile = double{1} * cuts.profile_windows * facts.calibration->window();
  const double row = 4.0 * info.hidden_size();
  const double ranges = static_cast<double>(cuts.ranges.size());
  double outputs = 0;  // rows of all linears: the diagonal of G
  for (const v1::UnitInfo& unit : info.units()) {
    for (const auto& linear : unit.linears()) outputs += static_cast<double>(linear.out_features());
  }
  const double copies = cuts.shards.size() + (cuts.shards.size() > 1 ? 1 : 0);
  const double candidates = facts.allocation->candidates_size();
  const double held_out = double{1} * facts.calibration->held_out_windows() * facts.calibration->window();
  return 4 * (calibration + held_out + evaluation) + row * (evaluation + held_out + profile * (2 * ranges - 1)) +
         4 * outputs * static_cast<double>(cuts.curvature.size()) + row * calibration * (ranges - 1) +
         copies * info.statistics_bytes() + candidates * (plan_bytes + kBytesPerScoredToken * (evaluation + held_out));
}

// Who loads an artifact of some plan, and who none.
void FillLoadable(const ResolvedJob& job, v1::Estimate& estimate) {
  std::string load, refuse;
  for (const v1::ConsumerInfo& consumer : job.target()->consumers()) {
    const bool loads = consumer.refusal().empty();
    std::string& text = loads ? load : refuse;
    text += (text.empty() ? "" : "; ") + consumer.program() + (loads ? "" : ": " + consumer.refusal());
  }
  estimate.set_loadable(!load.empty());
  estimate.set_loadable_reason(load.empty() ? refuse : refuse.empty() ? load : load + "; not " + refuse);
}

int64_t Rounded(double bytes) { return static_cast<int64_t>(std::ceil(std::min(bytes, 9e18))); }

}  // namespace

JobSize SizeJob(const ResolvedJob& job) {
  const PlanLimits limits = LimitsOf(*job.target(), job.recipe);
  const int64_t plan_bytes = PlanBytes(job, limits);
  const Facts facts = WithAssumed(job, {});
  const auto expansion = Expand(job, facts, {.nodes = NodeDetail::kSize});
  CHECK(expansion.ok()) << expansion.status();
  JobSize size;
  int64_t peak = 0, thread = 0;
  for (const TaskNode& node : expansion->nodes) {
    size.flops += node.cost_flops;
    peak = std::max(peak, node.memory.bytes);
    thread = std::max(thread, node.memory.thread_bytes);
  }
  v1::Estimate& estimate = size.estimate;
  estimate.set_intermediate_bytes(Rounded(IntermediateBytes(job, facts, plan_bytes)));
  estimate.set_artifact_bytes(plan_bytes + job.target()->kept_bytes() + job.target()->overhead_bytes());
  estimate.set_peak_memory_bytes(peak);
  estimate.set_thread_memory_bytes(thread);
  estimate.set_smallest_average_bits(limits.smallest_average_bits);
  estimate.set_largest_average_bits(limits.largest_average_bits);
  estimate.set_smallest_artifact_bytes(limits.smallest_artifact_bytes);
  estimate.set_largest_artifact_bytes(limits.largest_artifact_bytes);
  FillLoadable(job, estimate);
  estimate.set_tasks(static_cast<int>(expansion->nodes.size()));
  return size;
}

v1::Estimate EstimateAt(const JobSize& size, double flops_per_second) {
  v1::Estimate estimate = size.estimate;
  estimate.set_seconds(size.flops / std::max(1.0, flops_per_second) +
                       static_cast<double>(estimate.intermediate_bytes()) / kBytesPerSecond);
  return estimate;
}

v1::Estimate EstimateJob(const ResolvedJob& job, double flops_per_second) {
  return EstimateAt(SizeJob(job), flops_per_second);
}

CostForecast ForecastCosts(const ResolvedJob& job, const Facts& facts) {
  if (job.target() == nullptr) return {};
  const auto expansion = Expand(job, WithAssumed(job, facts), {.nodes = NodeDetail::kSize});
  CHECK(expansion.ok()) << expansion.status();
  CostForecast forecast;
  for (const TaskNode& node : expansion->nodes) {
    forecast.weights[node.spec.kind()] += WeightOf(node);
    forecast.total += WeightOf(node);
  }
  return forecast;
}

}  // namespace bitwright::server
