#include "workers/targets/card.h"

#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "workers/targets/consumers.h"
#include "workers/targets/format_messages.h"

namespace bitwright::worker {
namespace {

using nlohmann::ordered_json;

// A fixed-point form has 300 digits for the perplexity of a ruined model: those are shown in short.
constexpr double kLargestFixed = 1e6;

std::string Text(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, std::fabs(value) < kLargestFixed ? format : "%.6g", value);
  return text;
}

std::string Row(const std::string& name, const std::string& value) { return "| " + name + " | " + value + " |\n"; }

// "int3-g128 (12 units), int4-g64 (20 units)"
std::string FormatsInUse(const v1::Plan& plan) {
  std::map<std::string, int> count;
  for (const auto& unit : plan.units()) {
    std::set<std::string> own;  // a unit counts once for each format that it has
    for (const Format& format : PlannedFormats(unit).all()) own.insert(FormatName(format));
    for (const std::string& name : own) ++count[name];
  }
  std::string text;
  for (const auto& [name, units] : count) {
    text += (text.empty() ? "" : ", ") + name + " (" + std::to_string(units) + (units == 1 ? " unit)" : " units)");
  }
  return text;
}

// Which programs load the artifact, and how; which do not, and why.
std::string Consumers(const v1::Plan& plan, const v1::TargetInfo& described) {
  std::string text;
  const std::vector<v1::ConsumerVerdict> verdicts = VerdictsOn(plan, described);
  for (size_t i = 0; i < verdicts.size(); ++i) {
    text += "\n" + verdicts[i].program();
    text += verdicts[i].loads() ? ":\n\n```\n" + described.consumers(static_cast<int>(i)).usage() + "\n```\n"
                                : " does not load it: " + verdicts[i].reason() + ".\n";
  }
  return text;
}

std::string ComputeName(v1::ComputeType type) { return type == v1::COMPUTE_TYPE_BF16 ? "bf16" : "f32"; }

}  // namespace

std::string ModelCard(const Target& target, const v1::ModelInfo& info, const v1::TargetInfo& described,
                      const v1::Plan& plan, const v1::Candidate& candidate, const v1::Selection& selection,
                      const v1::CardFacts& card) {
  const CardParts parts = target.Card();
  const v1::KlDivergence& kl = candidate.kl_divergence();
  std::string text = "---\nlibrary_name: " + parts.library + "\ntags:\n- quantized\n- " + parts.tag + "\n---\n\n# " +
                     card.model() + ", quantized to " + Text("%.3f", candidate.average_bits()) +
                     " bits\n\nQuantized by Bitwright. " + parts.stored +
                     " Every number below was measured on these weights.\n\n| | |\n|---|---|\n";
  text += Row("architecture", info.architecture());
  text += Row("recipe", card.recipe());
  text += Row("plan", plan.name());
  text += Row("formats", FormatsInUse(plan));
  text += Row("average bits per quantized weight", Text("%.4f", candidate.average_bits()));
  text += Row("calibration tokens", std::to_string(card.calibration_tokens()));
  text += Row("evaluation tokens scored", std::to_string(selection.scored_tokens()) + " in windows of " +
                                              std::to_string(card.window()) + ", computed in " +
                                              ComputeName(card.evaluation_compute()));
  text += Row("KL divergence to the original, nats per token",
              Text("%.6f", kl.mean()) + " ± " + Text("%.6f", kl.standard_error()) + " (median " +
                  Text("%.6f", kl.median()) + ", p99 " + Text("%.6f", kl.p99()) + ", largest " +
                  Text("%.6f", kl.max()) + ")");
  text += Row("perplexity", Text("%.4f", candidate.perplexity()) + " ± " +
                                Text("%.4f", candidate.perplexity_standard_error()) + " (original " +
                                Text("%.4f", selection.reference().perplexity()) + ")");
  text += Row("most likely token unchanged", Text("%.2f", 100 * candidate.top1_agreement()) + " %");
  return text + "\n`plan.json` holds the format of every unit; `sha256sum -c SHA256SUMS` checks the files.\n" +
         Consumers(plan, described);
}

std::string PlanJson(const v1::ModelInfo& info, const v1::Plan& plan, const v1::Candidate& candidate,
                     const v1::Selection& selection, const v1::CardFacts& card) {
  ordered_json json;
  json["schema_version"] = 1;
  json["model"] = card.model();
  json["architecture"] = info.architecture();
  json["recipe"] = card.recipe();
  json["plan"] = plan.name();
  json["average_bits"] = candidate.average_bits();
  json["weight_bytes"] = plan.weight_bytes();
  json["predicted_loss"] = plan.predicted_loss();
  const v1::KlDivergence& kl = candidate.kl_divergence();
  json["measured"] = {{"scored_tokens", selection.scored_tokens()},
                      {"kl_divergence",
                       {{"mean", kl.mean()},
                        {"standard_error", kl.standard_error()},
                        {"median", kl.median()},
                        {"p99", kl.p99()},
                        {"max", kl.max()}}},
                      {"perplexity", candidate.perplexity()},
                      {"perplexity_standard_error", candidate.perplexity_standard_error()},
                      {"reference_perplexity", selection.reference().perplexity()},
                      {"top1_agreement", candidate.top1_agreement()}};
  for (const auto& unit : plan.units()) {
    json["units"].push_back({{"name", unit.unit()},
                             {"format", NameOf(unit.format())},
                             {"bytes", unit.bytes()},
                             {"predicted_loss", unit.predicted_loss()}});
  }
  return json.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace bitwright::worker
