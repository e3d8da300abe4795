#include <cstdint>
#include <cstdlib>
#include <string>

#include "bitwright/v1/tasks.pb.h"
#include "proto/base/errors.h"
#include "workers/tasks/run_task.h"
#include "workers/tasks/spec_check.h"

namespace {

using bitwright::v1::TaskSpec;
namespace worker = bitwright::worker;

worker::ModelConfig SmallModel() {
  const auto config = worker::ParseModelConfig(
      R"({"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
          "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 384, "max_position_embeddings": 64})");
  if (!config.ok()) std::abort();
  return *config;
}

// Runs a spec without any of its inputs; the reason of the error, which there must be.
std::string Run(const TaskSpec& spec) {
  static worker::ThreadPool pool(1);
  worker::TaskContext context;
  context.input_path = [](const std::string&) { return std::string(); };
  context.output_dir = "/nowhere";
  context.pool = &pool;
  context.progress = [](double) {};
  const auto outputs = worker::RunTask(spec, context);
  if (outputs.ok() || !absl::IsInvalidArgument(outputs.status())) std::abort();
  return bitwright::ErrorReason(outputs.status());
}

}  // namespace

// A spec is refused with its reason, or its inputs are found missing. Whether it fits a model can be asked of every
// spec that is accepted.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  TaskSpec spec;
  if (!spec.ParseFromArray(data, static_cast<int>(size))) return -1;
  const absl::Status checked = worker::CheckSpec(spec);
  const std::string reason = Run(spec);
  if (!checked.ok()) {
    if (reason != bitwright::ErrorReason(checked)) std::abort();
    return 0;
  }
  static const worker::ModelConfig model = SmallModel();
  const std::string fits = bitwright::ErrorReason(worker::CheckSpecFits(spec, model));
  if (!fits.empty() && fits != "TASK_SPEC_INVALID") std::abort();
  if (spec.inputs_size() > 0 && reason != "TASK_INPUT_MISSING") std::abort();
  return 0;
}
