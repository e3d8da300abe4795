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
#include "workers/kernels/gemm.h"
#include "workers/model/rope.h"
#include "workers/model/window_runner.h"

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
  return {{"family", c.family},
          {"hidden", c.hidden},
          {"intermediate", c.intermediate},
          {"layers", c.layers},
          {"heads", c.heads},
          {"kv_heads", c.kv_heads},
          {"head_dim", c.head_dim},
          {"vocab", c.vocab},
          {"max_positions", c.max_positions},
          {"norm_eps", c.norm_eps},
          {"qkv_bias", c.qkv_bias},
          {"output_bias", c.output_bias},
          {"mlp_bias", c.mlp_bias},
          {"qk_norm", c.qk_norm},
          {"tied", c.tied_embeddings},
          {"windows", c.window},
          {"inv_freq", RopeFrequencies(c.rope, c.head_dim)},
          {"attention_scaling", RopeFactor(c.rope)}};
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
  const int64_t window = static_cast<int64_t>(ids.size()), hidden = model.config().hidden, vocab = model.config().vocab;
  ThreadPool pool(1);
  WindowRunner runner(model, window, Compute::kF32, pool);
  Buffer<float> x(window * hidden), logits(window * vocab);
  runner.Embed(ids, x.data());
  for (int64_t b = 0; b < model.config().layers; ++b) {
    ABSL_ASSIGN_OR_RETURN(const BlockWeights block, model.LoadBlock(b, Compute::kF32, pool));
    runner.RunBlock(block, 1, x.data());
  }
  runner.FinalNorm(1, x.data());
  const Buffer<float> head = model.Head(pool);
  GemmF32(false, true, window, vocab, hidden, 1.0f, x.data(), hidden, head.data(), hidden, 0.0f, logits.data(), vocab);
  return json(std::vector<float>(logits.data(), logits.data() + logits.size()));
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
