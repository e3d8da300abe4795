// What the workers read in a config.json, for config_test.py to compare with what another program reads.
//   config_dump              one config.json per line of the input; one JSON object per line of the output: the
//   attributes,
//                            or the reason and the field of the refusal
//   config_dump logits DIR   the model in DIR on the window of ids (a JSON array) in the input; the logits, row by row

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "tests/support/block_facts.h"
#include "tests/support/device_values.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/model/output_head.h"
#include "workers/model/rope.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

json Refusal(const absl::Status& status) {
  const auto detail = GetErrorDetail(status);
  json refusal = {{"reason", ErrorReason(status)}, {"message", std::string(status.message())}};
  if (detail && detail->metadata.contains("field")) refusal["field"] = detail->metadata.at("field");
  return refusal;
}

json Attributes(const ModelConfig& c) {
  const BlockFacts facts = FactsOf(c);
  json attributes = {{"family", c.family},          {"hidden", c.hidden},         {"intermediate", c.intermediate},
                     {"layers", c.layers},          {"heads", facts.heads},       {"kv_heads", facts.kv_heads},
                     {"head_dim", facts.head_dim},  {"vocab", c.vocab},           {"max_positions", c.max_positions},
                     {"norm_eps", c.head.norm.eps}, {"qkv_bias", facts.qkv_bias}, {"output_bias", facts.output_bias},
                     {"mlp_bias", facts.mlp_bias},  {"qk_norm", facts.qk_norm},   {"tied", c.tied_embeddings},
                     {"windows", Windows(c)}};
  if (!c.ropes.empty()) {
    const RopeConfig& rope = c.ropes.front();
    attributes["inv_freq"] = RopeFrequencies(rope, rope.Rotary(facts.head_dim), 1);
    attributes["attention_scaling"] = RopeFactor(rope);
  }
  return attributes;
}

void DumpConfigs() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto config = ParseModelConfig(line);
    std::cout << (config.ok() ? Attributes(*config) : Refusal(config.status())).dump() << "\n";
  }
}

absl::StatusOr<json> Logits(const std::string& dir, const std::vector<int32_t>& ids) {
  ModelFiles files;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    files.emplace(entry.path().filename().string(), entry.path().string());
  }
  ABSL_ASSIGN_OR_RETURN(const Model model, Model::Open(files));
  ThreadPool pool(1);
  const auto device = MakeCpuDevice(pool);
  BlockRunner runner(model, static_cast<int64_t>(ids.size()), Compute::kF32, *device);
  const DeviceMatrix x = runner.Embed(ids);
  ABSL_RETURN_IF_ERROR(runner.RunBlocks(0, model.config().layers, x.view()));
  model.FinalNorm(*device, x.view());
  const DeviceMatrix logits(*device, DType::kF32, x.view().rows, model.config().vocab);
  OutputHead(runner).Logits(x.view(), logits.view());
  return json(Values(*device, logits.view()));
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) {
  using namespace bitwright::worker;
  if (argc == 1) {
    DumpConfigs();
    return 0;
  }
  if (argc != 3 || std::string(argv[1]) != "logits") {
    std::fprintf(stderr, "usage: config_dump [logits DIR] < INPUT\n");
    return 2;
  }
  const std::string input(std::istreambuf_iterator<char>(std::cin), {});
  const auto ids = nlohmann::json::parse(input, nullptr, /*allow_exceptions=*/false);
  const auto logits = Logits(argv[2], ids.get<std::vector<int32_t>>());
  std::cout << (logits.ok() ? *logits : Refusal(logits.status())).dump() << "\n";
  return logits.ok() ? 0 : 1;
}
