#include "workers/targets/consumers.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <map>
#include <set>

#include "bitwright/v1/models.pb.h"
#include "proto/base/log.h"
#include "workers/targets/consumer_texts.h"
#include "workers/targets/format_messages.h"

namespace bitwright::worker {
namespace {

std::map<std::string, std::vector<v1::ConsumerProfile>> ParseAll() {
  std::map<std::string, std::vector<v1::ConsumerProfile>> by_target;
  for (const std::string_view text : ConsumerTexts()) {
    v1::ConsumerProfile profile;
    CHECK(google::protobuf::TextFormat::ParseFromString(std::string(text), &profile)) << text;
    by_target[profile.target()].push_back(std::move(profile));
  }
  return by_target;
}

bool Fits(int64_t size, int64_t multiple) { return multiple == 0 || size % multiple == 0; }

// "the outputs of 'model.layers.0.mlp.down_proj', 96, are no multiple of 64"; empty: all units fit.
std::string Misfit(const v1::ConsumerProfile& profile, const v1::ModelInfo& info, int units) {
  for (int u = 0; u < units; ++u) {
    const v1::UnitInfo& unit = info.units(u);
    int64_t out = 0;
    for (const auto& linear : unit.linears()) {
      // Experts are not fused with each other.
      out = unit.tie().empty() ? out + linear.out_features() : linear.out_features();
    }
    const auto says = [&](const char* what, int64_t size, int64_t multiple) {
      return std::string("the ") + what + " of '" + unit.name() + "', " + std::to_string(size) +
             ", are no multiple of " + std::to_string(multiple);
    };
    const int64_t in = unit.linears(0).in_features();
    if (!Fits(out, profile.out_multiple())) return says("outputs", out, profile.out_multiple());
    if (!Fits(in, profile.in_multiple())) return says("inputs", in, profile.in_multiple());
  }
  return "";
}

}  // namespace

const std::vector<v1::ConsumerProfile>& ProfilesOf(const Target& target) {
  static const auto& by_target = *new std::map<std::string, std::vector<v1::ConsumerProfile>>(ParseAll());
  static const auto& none = *new std::vector<v1::ConsumerProfile>();
  const auto found = by_target.find(std::string(target.name()));
  return found == by_target.end() ? none : found->second;
}

v1::ConsumerInfo DescribeConsumer(const v1::ConsumerProfile& profile, const Target& target, const v1::ModelInfo& info,
                                  const v1::TargetInfo& described) {
  v1::ConsumerInfo consumer;
  consumer.set_name(profile.name());
  consumer.set_program(profile.program());
  consumer.set_usage(profile.usage());
  consumer.set_one_format(profile.one_format());
  consumer.set_refusal(Misfit(profile, info, described.units_size()));
  for (const Format& format : target.formats()) {
    const std::string name = FormatName(format);
    const bool loads = profile.formats().empty() || std::ranges::count(profile.formats(), name) > 0;
    const bool widened = std::ranges::count(profile.bfloat16_formats(), name) > 0;
    if (loads && (!widened || info.dtype() == "BF16")) consumer.add_formats(name);
  }
  return consumer;
}

std::vector<v1::ConsumerVerdict> VerdictsOn(const v1::Plan& plan, const v1::TargetInfo& described) {
  std::set<std::string> in_use;
  for (const v1::UnitPlan& unit : plan.units()) {
    for (const Format& format : PlannedFormats(unit).all()) in_use.insert(FormatName(format));
  }
  std::vector<v1::ConsumerVerdict> verdicts;
  for (const v1::ConsumerInfo& consumer : described.consumers()) {
    v1::ConsumerVerdict& verdict = verdicts.emplace_back();
    verdict.set_name(consumer.name());
    verdict.set_program(consumer.program());
    std::string missing;
    for (const std::string& name : in_use) {
      if (std::ranges::count(consumer.formats(), name) == 0) missing += (missing.empty() ? "" : ", ") + name;
    }
    const bool too_many = consumer.one_format() && in_use.size() > 1;
    verdict.set_loads(consumer.refusal().empty() && missing.empty() && !too_many);
    if (verdict.loads()) continue;
    verdict.set_reason(!consumer.refusal().empty() ? consumer.refusal()
                       : !missing.empty()          ? "it has no " + missing
                                                   : "it takes one format for all units");
  }
  return verdicts;
}

}  // namespace bitwright::worker
