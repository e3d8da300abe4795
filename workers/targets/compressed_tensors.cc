#include "workers/targets/compressed_tensors.h"

#include <algorithm>
#include <vector>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "workers/targets/hugging_face.h"
#include "workers/targets/quantization_config.h"

namespace bitwright::worker {
namespace {

std::vector<Format> AllFormats() {
  std::vector<Format> all;
  for (IntFormat format : AllIntFormats()) {
    all.emplace_back(format);
    format.asymmetric = true;
    if (CheckFormat(format).ok()) all.emplace_back(format);
  }
  all.emplace_back(IntFormat{8, IntFormat::kChannel, false, false, 8});
  for (const FloatSpec& spec : FloatSpecs()) all.emplace_back(spec.format);
  all.emplace_back(PlainFormat{});
  std::ranges::stable_sort(all, {}, [](const Format& format) { return WidthOf(format); });
  return all;
}

class CompressedTensorsTarget final : public HuggingFaceTarget {
 public:
  std::string_view name() const override { return "compressed-tensors"; }

  std::span<const Format> formats() const override {
    static const auto& formats = *new std::vector<Format>(AllFormats());
    return formats;
  }

  CardParts Card() const override {
    return {"transformers", std::string(name()),
            "Weights of the decoder linears are stored as compressed-tensors does, in the formats named below; "
            "embeddings, norms and the output head are unchanged."};
  }

 protected:
  std::string QuantizationConfig(const v1::ModelInfo& info, const v1::Plan& plan) const override {
    const auto config = worker::QuantizationConfig(plan, info.units());
    return config.is_null() ? "" : config.dump();
  }

  std::vector<StoredTensor> Tensors(const Format& format, int64_t out, int64_t in, DType type) const override {
    return StoredTensors(format, out, in, type);
  }

  absl::Status Append(const std::string& name, const Format&, const StoredTensor& tensor, const PackedUnits& packed,
                      SafetensorsWriter& writer) const override {
    return AppendPacked(name + std::string(tensor.suffix), tensor.bytes(), packed, writer);
  }
};

}  // namespace

const Target& CompressedTensors() {
  static const auto& target = *new CompressedTensorsTarget;
  return target;
}

}  // namespace bitwright::worker
