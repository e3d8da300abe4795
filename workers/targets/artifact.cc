#include "workers/targets/artifact.h"

#include <algorithm>
#include <set>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/contract/rpc_status.h"
#include "workers/targets/card.h"
#include "workers/targets/consumers.h"
#include "workers/targets/format_messages.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

constexpr char kCardFile[] = "README.md";
constexpr char kPlanFile[] = "plan.json";
// Digits of numbers, and a sentence of the card, that the bound does not foresee to the byte.
constexpr int64_t kOverheadSlackBytes = 640;
// A format more in use: its group in config.json (about 370 bytes without the names) and its name in the card.
constexpr int64_t kBytesPerFormat = 512;

// A number whose shortest JSON form is as long as that of any double.
constexpr double kLongNumber = -1.2345678901234567e-300;

v1::Candidate LongestCandidate() {
  v1::Candidate longest;
  auto& kl = *longest.mutable_kl_divergence();
  for (const auto set : {&v1::KlDivergence::set_mean, &v1::KlDivergence::set_standard_error,
                         &v1::KlDivergence::set_median, &v1::KlDivergence::set_p99, &v1::KlDivergence::set_max}) {
    (kl.*set)(kLongNumber);
  }
  longest.set_average_bits(kLongNumber);
  longest.set_perplexity(kLongNumber);
  longest.set_perplexity_standard_error(kLongNumber);
  longest.set_top1_agreement(kLongNumber);
  return longest;
}

// Every unit in some format, as many formats in use as that gives, and numbers of the most digits.
v1::Plan LongestPlan(const v1::ModelInfo& info, const v1::TargetInfo& target) {
  v1::Plan plan;
  plan.set_name("uniform-int8-channel-f16");
  plan.set_weight_bytes(info.tensor_bytes());
  plan.set_predicted_loss(kLongNumber);
  for (int u = 0; u < target.units_size(); ++u) {
    const auto& options = target.units(u).options();
    v1::UnitPlan& to = *plan.add_units();
    to.set_unit(info.units(u).name());
    to.set_predicted_loss(kLongNumber);
    to.set_bytes(info.tensor_bytes());
    *to.mutable_format() = options[u % options.size()].format();
  }
  return plan;
}

// Most formats that the linears of a unit have.
int64_t FormatsOfUnit(const Target& target, const v1::UnitInfo& unit) {
  return target.linears_differ() ? unit.linears_size() : 1;
}

// Formats that some plan of the model has in use beyond those that LongestPlan uses.
int64_t FormatsBeyond(const Target& target, const v1::ModelInfo& info, const v1::Plan& longest,
                      const v1::TargetInfo& described) {
  std::set<std::string> possible, used;
  int64_t places = 0;
  for (int u = 0; u < described.units_size(); ++u) {
    for (const auto& option : described.units(u).options()) possible.insert(option.name());
    places += FormatsOfUnit(target, info.units(u));
  }
  for (const v1::UnitPlan& unit : longest.units()) used.insert(NameOf(unit.format()));
  const int64_t most = std::min(places, std::ssize(possible));
  return std::max<int64_t>(most - static_cast<int64_t>(used.size()), 0);
}

std::vector<LinearShape> ShapesOf(const v1::UnitInfo& unit) {
  std::vector<LinearShape> shapes;
  for (const auto& linear : unit.linears()) {
    shapes.push_back({linear.out_features(), linear.in_features(), !unit.tie().empty()});
  }
  return shapes;
}

// Units' names of formats, which plan.json has, may be longer than those that LongestPlan has.
int64_t NameSlack(const Target& target, const v1::ModelInfo& info, const v1::TargetInfo& described) {
  int64_t bytes = 0;
  for (int u = 0; u < described.units_size(); ++u) {
    const auto& options = described.units(u).options();
    int64_t longest = 0;
    for (const auto& option : options) longest = std::max(longest, std::ssize(option.name()));
    const int64_t names = FormatsOfUnit(target, info.units(u));
    bytes += names * (longest + 1) - 1 - std::ssize(options[u % options.size()].name());
  }
  return bytes;
}

int64_t BytesIn(const Target& target, const Format& format, const v1::UnitInfo& unit, DType type) {
  int64_t bytes = 0;
  for (const auto& linear : unit.linears()) {
    bytes += target.LinearBytes(format, linear.out_features(), linear.in_features(), type);
  }
  return bytes;
}

// Options of all units, and the bytes of what stays.
void DescribeUnits(const Target& target, const v1::ModelInfo& info, v1::TargetInfo& to) {
  const DType type = ParseDType(info.dtype()).value_or(DType::kF32);
  std::set<std::string> stored;
  for (const v1::UnitInfo& unit : info.units()) {
    if (unit.block() < 0 && !target.stores_ends()) continue;
    for (const auto& linear : unit.linears()) stored.insert(linear.name() + ".weight");
    to.set_quantized_weights(to.quantized_weights() + unit.weights());
    v1::TargetInfo::Unit& described = *to.add_units();
    described.set_end(unit.block() < 0);
    auto& options = *described.mutable_options();
    for (const Format& format : FormatsThatFit(target, ShapesOf(unit))) {
      v1::FormatOption& option = *options.Add();
      *option.mutable_format() = ToProto(format);
      option.set_bytes(BytesIn(target, format, unit, type));
      option.set_name(FormatName(format));
      option.set_bits(WidthOf(format));
      option.set_group_size(static_cast<int32_t>(GroupSizeOf(format)));
    }
  }
  for (const auto& tensor : info.kept()) {
    if (!stored.contains(tensor.name())) to.set_kept_bytes(to.kept_bytes() + target.KeptBytes(tensor));
  }
}

// The most that an artifact can take beyond the bytes of units and kept tensors, whatever its plan and numbers.
absl::StatusOr<int64_t> OverheadBound(const Target& target, const TargetModel& model, const v1::TargetInfo& described) {
  const v1::ModelInfo& info = model.info;
  TargetModel longest = model;
  longest.name = std::string(limits::kMaxDisplayNameBytes, '\x01');  // six characters each in JSON
  const v1::Plan plan = LongestPlan(info, described);
  v1::Selection selection;
  selection.set_scored_tokens(limits::kMaxDataTokens);
  selection.mutable_reference()->set_perplexity(kLongNumber);
  v1::CardFacts card;
  // The card shows both names twice.
  card.set_model(longest.name);
  card.set_recipe(std::string(64, 'r'));
  card.set_calibration_tokens(limits::kMaxDataTokens);
  card.set_window(static_cast<int32_t>(info.max_positions()));
  const v1::Candidate candidate = LongestCandidate();
  ABSL_ASSIGN_OR_RETURN(const SizeParts size,
                        ArtifactSize(target, longest, described, plan, {candidate, selection, card}));
  int64_t counted = described.kept_bytes();
  for (int u = 0; u < described.units_size(); ++u) {
    const auto& options = described.units(u).options();
    counted += options[u % options.size()].bytes();
  }
  return size.total() - counted + kOverheadSlackBytes + target.SlackBytes(info, plan) +
         NameSlack(target, info, described) + kBytesPerFormat * FormatsBeyond(target, info, plan, described);
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> WrittenFiles(const Target& target, const TargetModel& model,
                                                                const v1::TargetInfo& described, const v1::Plan& plan,
                                                                const Measured& measured) {
  ABSL_ASSIGN_OR_RETURN(auto files, target.OwnFiles(model, plan));
  const auto& [candidate, selection, card] = measured;
  files[kCardFile] = ModelCard(target, model.info, described, plan, candidate, selection, card);
  files[kPlanFile] = PlanJson(model.info, plan, candidate, selection, card);
  return files;
}

std::string Sha256Sums(const std::map<std::string, std::string>& digests) {
  std::string text;
  for (const auto& [path, sha256] : digests) text.append(sha256).append("  ").append(path).append("\n");
  return text;
}

absl::StatusOr<SizeParts> ArtifactSize(const Target& target, const TargetModel& model, const v1::TargetInfo& described,
                                       const v1::Plan& plan, const Measured& measured) {
  ABSL_ASSIGN_OR_RETURN(const auto written, WrittenFiles(target, model, described, plan, measured));
  ABSL_ASSIGN_OR_RETURN(SizeParts size, target.WeightsSize(model, plan));
  std::map<std::string, std::string> digests{{std::string(target.weights_file()), std::string(64, '0')}};
  for (const auto& [path, bytes] : model.carried) {
    if (!target.Carries(path)) continue;
    size.Add(PartOfCarriedFile(path), bytes);
    digests[path] = std::string(64, '0');
  }
  for (const auto& [path, text] : written) {
    size.Add(v1::SizePart::OTHER, static_cast<int64_t>(text.size()));
    digests[path] = std::string(64, '0');
  }
  size.Add(v1::SizePart::OTHER, static_cast<int64_t>(Sha256Sums(digests).size()));
  return size;
}

v1::TargetInfo DescribeTarget(const Target& target, const TargetModel& model) {
  v1::TargetInfo described;
  described.set_target(std::string(target.name()));
  if (const absl::Status refusal = target.Check(model); !refusal.ok()) {
    *described.mutable_refusal() = bitwright::ToProto(refusal);
    return described;
  }
  v1::TargetInfo refused = described;
  DescribeUnits(target, model.info, described);
  for (const v1::ConsumerProfile& profile : ProfilesOf(target)) {
    *described.add_consumers() = DescribeConsumer(profile, target, model.info, described);
  }
  described.set_rounding_passes(target.rounding_passes());
  described.set_pricing_passes(target.pricing_passes());
  described.set_rounding_moment(target.rounding_moment());
  const absl::StatusOr<int64_t> overhead = OverheadBound(target, model, described);
  if (overhead.ok()) {
    described.set_overhead_bytes(*overhead);
    return described;
  }
  *refused.mutable_refusal() = bitwright::ToProto(overhead.status());
  return refused;
}

absl::StatusOr<const v1::TargetInfo*> TargetInfoOf(const v1::ModelInfo& info, const Target& target) {
  for (const v1::TargetInfo& one : info.targets()) {
    if (one.target() == target.name() && !one.has_refusal() && one.units_size() <= info.units_size()) return &one;
  }
  return InfoLacksTargetError(target.name());
}

}  // namespace bitwright::worker
