#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/compare_logits.h"
#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "tests/support/status_matchers.h"
#include "workers/evaluate/summary.h"

// Numbers that an independent float64 program computed.
namespace bitwright::worker {
namespace {

void ExpectClose(double found, double expected, const std::string& name) {
  EXPECT_NEAR(found, expected, 1e-9 * std::abs(expected) + 1e-13) << name;
}

void ExpectAll(const std::vector<double>& found, const std::vector<double>& expected, const std::string& name) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t t = 0; t < found.size(); ++t) ExpectClose(found[t], expected[t], name + " " + std::to_string(t));
}

void ExpectLoss(const LossSummary& found, const nlohmann::json& expected) {
  ExpectClose(found.mean_nll.value, expected["mean_nll"], "mean_nll");
  ExpectClose(found.mean_nll.standard_error, expected["mean_nll_se"], "mean_nll_se");
  ExpectClose(found.perplexity.value, expected["perplexity"], "perplexity");
  ExpectClose(found.perplexity.standard_error, expected["perplexity_se"], "perplexity_se");
}

void ExpectSummary(const EvaluationSummary& s, const nlohmann::json& json) {
  EXPECT_EQ(s.tokens, json["tokens"].get<int64_t>());
  ExpectLoss(s.base, json["base"]);
  ExpectLoss(s.quantized, json["quantized"]);
  ExpectClose(s.delta_nll.value, json["delta_nll"]["mean"], "delta_nll");
  ExpectClose(s.delta_nll.standard_error, json["delta_nll"]["se"], "delta_nll se");
  ExpectClose(s.perplexity_ratio.value, json["perplexity_ratio"]["value"], "ratio");
  ExpectClose(s.perplexity_ratio.standard_error, json["perplexity_ratio"]["se"], "ratio se");
  ExpectClose(s.top1_agreement.value, json["top1_agreement"]["value"], "top1");
  ExpectClose(s.top1_agreement.standard_error, json["top1_agreement"]["se"], "top1 se");
  const nlohmann::json& kl = json["kl"];
  const std::pair<const char*, double> of_kl[] = {{"mean", s.kl.mean.value}, {"se", s.kl.mean.standard_error},
                                                  {"median", s.kl.median},   {"p90", s.kl.p90},
                                                  {"p95", s.kl.p95},         {"p99", s.kl.p99},
                                                  {"p999", s.kl.p999},       {"max", s.kl.max},
                                                  {"min", s.kl.min}};
  for (const auto& [name, value] : of_kl) ExpectClose(value, kl[name], std::string("kl ") + name);
  const nlohmann::json& delta = json["p_delta"];
  const std::pair<const char*, double> of_delta[] = {{"mean", s.p_delta.mean.value},
                                                     {"se", s.p_delta.mean.standard_error},
                                                     {"rms", s.p_delta.rms.value},
                                                     {"min", s.p_delta.min},
                                                     {"max", s.p_delta.max}};
  for (const auto& [name, value] : of_delta) ExpectClose(value, delta[name], std::string("p_delta ") + name);
  if (kl.contains("p10")) {  // numpy's, in the copy beside the tests
    for (const auto& [name, value] : {std::pair{"p10", s.kl.p10}, {"p05", s.kl.p05}, {"p01", s.kl.p01}}) {
      ExpectClose(value, kl[name], std::string("kl ") + name);
    }
    ExpectClose(s.p_delta.rms.standard_error, delta["rms_se"], "p_delta rms_se");
  }
  const char* percents[] = {"0.1", "1", "5", "10", "25", "50", "75", "90", "95", "99", "99.9"};
  for (size_t i = 0; i < std::size(percents); ++i) {
    ExpectClose(s.p_delta.percentiles[i], delta["percentiles"][percents[i]], percents[i]);
  }
}

TokenStats Compare(const FixtureTensors& tensors, ThreadPool& pool) {
  const std::vector<float> base = Find(tensors, "base").ToFloat(), quantized = Find(tensors, "quantized").ToFloat();
  const std::vector<int64_t> wide = Find(tensors, "targets").As<int64_t>();
  const std::vector<int32_t> targets(wide.begin(), wide.end());
  return CompareLogits(base, quantized, Find(tensors, "base").shape[1], targets, pool);
}

void CheckPair(const std::string& folder, const std::string& name) {
  SCOPED_TRACE(name);
  ThreadPool pool(2);
  const FixtureTensors tensors = ReadFixture(folder + "/" + name + ".safetensors");
  const TokenStats stats = Compare(tensors, pool);
  ExpectAll(stats.nll_base, Find(tensors, "nll_base").ToDouble(), "nll_base");
  ExpectAll(stats.nll_quantized, Find(tensors, "nll_quantized").ToDouble(), "nll_quantized");
  ExpectAll(stats.kl, Find(tensors, "kl").ToDouble(), "kl");
  ExpectAll(stats.p_delta, Find(tensors, "p_delta").ToDouble(), "p_delta");
  EXPECT_EQ(stats.top1_same, Find(tensors, "top1_same").As<uint8_t>());
  ASSERT_OK_AND_ASSIGN(const EvaluationSummary summary, Summarize(stats, 1));
  std::ifstream json(folder + "/" + name + ".json");
  ExpectSummary(summary, nlohmann::json::parse(json));
}

TEST(GoldenEvaluationTest, EveryNumberOfTheReference) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  CheckPair(*shared + "/fixtures/evaluation", "mild");
  CheckPair(*shared + "/fixtures/evaluation", "severe");
}

// The reference's own token statistics (without the logits) give its own summary.
TEST(GoldenEvaluationTest, SummaryOfTheCopyBesideTheTests) {
  const std::string folder = SourcePath("tests/golden/evaluate");
  const FixtureTensors tensors = ReadFixture(folder + "/severe-tokens.safetensors");
  const TokenStats stats{Find(tensors, "nll_base").ToDouble(), Find(tensors, "nll_quantized").ToDouble(),
                         Find(tensors, "kl").ToDouble(), Find(tensors, "p_delta").ToDouble(),
                         Find(tensors, "top1_same").As<uint8_t>()};
  ASSERT_OK_AND_ASSIGN(const EvaluationSummary summary, Summarize(stats, 1));
  std::ifstream json(folder + "/severe.json");
  ExpectSummary(summary, nlohmann::json::parse(json));
}

}  // namespace
}  // namespace bitwright::worker
