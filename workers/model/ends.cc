#include "workers/model/ends.h"

#include <string>
#include <string_view>

namespace bitwright::worker {
namespace {

constexpr std::string_view kWeight = ".weight";

UnitSpec UnitOf(const std::string& tensor, const ModelConfig& config) {
  const std::string name = tensor.ends_with(kWeight) ? tensor.substr(0, tensor.size() - kWeight.size()) : tensor;
  return {name, {{name, config.vocab, config.hidden}}};
}

}  // namespace

std::vector<EndUnit> EndUnits(const Model& model) {
  const ModelConfig& config = model.config();
  if (model.embedding() == model.head()) return {{UnitOf(model.embedding(), config), true, true}};
  return {{UnitOf(model.embedding(), config), true, false}, {UnitOf(model.head(), config), false, true}};
}

void LoadEndRows(const Model& model, const EndUnit& end, int64_t first, Device& device, const Matrix& to) {
  if (end.embeds) {
    model.EmbeddingRows(first, device, to);
  } else {
    model.HeadRows(first, device, to);
  }
}

}  // namespace bitwright::worker
