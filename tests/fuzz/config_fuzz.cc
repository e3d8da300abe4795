#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "workers/families/config.h"
#include "workers/model/rope.h"
#include "workers/model/value_plan.h"

// Whatever parses describes a model whose sizes are in range and whose rotary tables can be computed.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = bitwright::worker::ParseModelConfig({reinterpret_cast<const char*>(data), size});
  if (!config.ok()) return 0;
  const bitwright::worker::BlockProgram program = config->block(config->layers - 1);
  for (const bitwright::worker::UnitSpec& unit : program.units) {
    if (unit.in() < 1 || unit.out() < 1) std::abort();
  }
  // Embedding and final norm, and something of every unit.
  if (config->layers <= 64 && bitwright::worker::RequiredTensors(*config).size() < 2 + program.units.size()) {
    std::abort();
  }
  bitwright::worker::PlanValues(program);
  for (const bitwright::worker::Operation& operation : program.operations) {
    const auto* rotate = std::get_if<bitwright::worker::RotateOp>(&operation);
    if (rotate == nullptr || rotate->x.dim > 512) continue;
    const bitwright::worker::RopeConfig& rope = config->ropes.at(static_cast<size_t>(rotate->rope));
    const int64_t rotary = rope.Rotary(rotate->x.dim);
    if (rotary < 2 || rotary % 2 != 0 || rotary > rotate->x.dim) std::abort();
    bitwright::worker::MakeRopeTable(rope, rotary, 4);
  }
  return 0;
}
