#include "tests/unit/server/support/fake_tasks.h"

#include "bitwright/v1/plans.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "proto/contract/budget_kind.h"
#include "proto/contract/digest.h"
#include "proto/contract/task_names.h"
#include "server/jobs/task_digest.h"

namespace bitwright::server {
namespace {

constexpr int kCandidates = 2;
constexpr int kFrontPlans = 5;

v1::Manifest Artifact(const std::string& config) {
  v1::Manifest manifest;
  v1::FileEntry* file = manifest.add_files();
  file->set_path("config.json");
  *file->mutable_digest() = ToProto(DigestOf(config));
  return manifest;
}

// Every text gives so many windows.
v1::TokenizeSummary SummaryOf(const v1::TokenizeParams& params, int windows) {
  const int texts = 1 + params.further_size();
  v1::TokenizeSummary summary = Summary(texts * windows, params.window());
  for (int t = 0; texts > 1 && t < texts; ++t) summary.add_texts()->set_windows(windows);
  return summary;
}

// Files with a GGUF are in another form.
v1::ModelInfo Inspected(const v1::TaskSpec& spec, const Shape& shape) {
  v1::ModelInfo info = Info(shape);
  *info.mutable_imported() = spec.inspect().imported();
  if (spec.inspect().has_imported()) return info;
  info.clear_imported();
  for (const v1::TaskInput& input : spec.inputs()) {
    if (input.name() != ModelFileName("model.gguf")) continue;
    info.Clear();
    info.mutable_imported()->set_form(v1::Import::GGUF);
    info.mutable_imported()->set_stored_as("GGUF");
    info.add_files("model.gguf");
  }
  return info;
}

// Few bits leave more plans to try. Under a bound of quality it is a front of which every plan loses less than the one
// before it.
v1::Allocation Allocated(const v1::AllocateParams& params, const Shape& shape) {
  const v1::Budget& budget = params.budget();
  const int few_bits = budget.has_average_bits() && budget.average_bits() < 3.25;
  if (!IsBound(budget)) return Allocation(Info(shape), kCandidates + few_bits);
  v1::Allocation front = Allocation(Info(shape), kFrontPlans);
  for (int c = 0; c < kFrontPlans; ++c) {
    front.mutable_candidates(c)->set_kind(v1::PLAN_KIND_MIXED);
    front.mutable_candidates(c)->set_predicted_loss(0.9 / (1 + c));
  }
  return front;
}

// The files that Info names.
std::map<std::string, std::string> Imported(const std::string& text, const Shape& shape) {
  std::map<std::string, std::string> outputs;
  v1::Manifest manifest;
  const v1::ModelInfo info = Info(shape);
  for (const std::string& path : info.files()) {
    const std::string content = path + " of " + text;
    outputs[ArtifactFileName(path)] = content;
    v1::FileEntry* file = manifest.add_files();
    file->set_path(path);
    *file->mutable_digest() = ToProto(DigestOf(content));
  }
  outputs[TaskFile::kManifest] = manifest.SerializeAsString();
  return outputs;
}

}  // namespace

std::map<std::string, std::string> FakeOutputs(const v1::TaskSpec& spec, const Shape& shape, int windows) {
  const std::string text = spec.kind() + " " + TaskDigest(spec);
  switch (spec.params_case()) {
    case v1::TaskSpec::kInspect:
      return {{"info", Inspected(spec, shape).SerializeAsString()}};
    case v1::TaskSpec::kImport:
      return Imported(text, shape);
    case v1::TaskSpec::kTokenize:
      return {{"ids", text}, {"summary", SummaryOf(spec.tokenize(), windows).SerializeAsString()}};
    case v1::TaskSpec::kReference:
      return {{"hidden", text}, {"activations", text + " activations"}};
    case v1::TaskSpec::kCalibrate:
      return {{"statistics", text}, {"activations", text + " activations"}};
    case v1::TaskSpec::kMerge:
      return {{"statistics", text}};
    case v1::TaskSpec::kCurvature:
      return {{"curvature", text}, {"gradients", text + " gradients"}};
    case v1::TaskSpec::kCheck:
      return {{"checks", text}};
    case v1::TaskSpec::kProfile:
      return {{"sensitivity", text}};
    case v1::TaskSpec::kAllocate:
      return {{"allocation", Allocated(spec.allocate(), shape).SerializeAsString()}, {"prices", text}};
    case v1::TaskSpec::kQuantize: {
      std::map<std::string, std::string> weights;
      const int plans = spec.quantize().units().empty() ? kCandidates : spec.quantize().units(0).formats_size();
      for (int c = 0; c < plans; ++c) weights[Numbered(TaskFile::kWeights, c)] = text + " " + std::to_string(c);
      return weights;
    }
    case v1::TaskSpec::kEvaluate:
      return {{"tokens", text}};
    case v1::TaskSpec::kChoose: {
      v1::Choice choice;
      for (int c = 0; c < spec.choose().candidates(); ++c) choice.add_trials();
      choice.set_selected(1);
      choice.set_best_uniform(1);
      return {{"choice", choice.SerializeAsString()}};
    }
    case v1::TaskSpec::kProbe: {
      v1::Probe probe;
      probe.set_plan(spec.probe().plan());
      probe.set_kl_divergence(1.0 / (1 + spec.probe().plan()));
      return {{"probe", probe.SerializeAsString()}};
    }
    case v1::TaskSpec::kQuestions: {
      v1::QuestionsSummary summary;
      for (int s = 0; s < 2; ++s) {
        auto& shard = *summary.add_shards();
        shard.mutable_sequences()->set_begin(10 * s);
        shard.mutable_sequences()->set_end(10 * s + 10);
        shard.set_window(32);
      }
      return {{"questions", text}, {"summary", summary.SerializeAsString()}};
    }
    case v1::TaskSpec::kScore:
      return {{"scores", text}};
    case v1::TaskSpec::kSample:
      return {{"sample", text}};
    case v1::TaskSpec::kGrade:
      return {{"grade", text}};
    case v1::TaskSpec::kSelect: {
      v1::Selection selection;
      for (const int plan : spec.select().plans()) {
        v1::Candidate& candidate = *selection.add_candidates();
        candidate.set_plan(plan);
        candidate.set_average_bits(4);
        candidate.mutable_kl_divergence()->set_mean(0.25);
      }
      selection.set_selected(selection.candidates_size() - 1);
      return {{"selection", selection.SerializeAsString()}};
    }
    case v1::TaskSpec::kAssemble:
      return {{"manifest", Artifact(text).SerializeAsString()}, {"file/config.json", text}};
    case v1::TaskSpec::kReport: {
      v1::Report report;
      report.set_schema_version(1);
      return {{"report", report.SerializeAsString()}};
    }
    default:
      return {};
  }
}

}  // namespace bitwright::server
