#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "workers/checkpoint/config.h"
#include "workers/model/architecture.h"
#include "workers/model/rope.h"

// Whatever parses describes a model whose sizes are in range and whose rotary tables can be computed.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = bitwright::worker::ParseModelConfig({reinterpret_cast<const char*>(data), size});
  if (!config.ok()) return 0;
  if (config->window.size() != static_cast<size_t>(config->layers)) std::abort();
  for (const int64_t window : config->window) {
    if (window < 0) std::abort();
  }
  if (config->heads % config->kv_heads != 0 || config->head_dim % 2 != 0) std::abort();
  for (const bitwright::worker::UnitSpec& unit : bitwright::worker::DescribeBlock(*config, 0).units) {
    if (unit.in() < 1 || unit.out() < 1) std::abort();
  }
  if (config->layers <= 64 && bitwright::worker::RequiredTensors(*config).size() < 10) std::abort();
  if (config->head_dim <= 512) bitwright::worker::MakeRopeTable(config->rope, config->head_dim, 4);
  return 0;
}
