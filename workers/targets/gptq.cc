#include "workers/targets/gptq.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/kernels/pack_codes.h"
#include "workers/targets/format_messages.h"
#include "workers/targets/hugging_face.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::ordered_json;

constexpr int kWidths[] = {2, 3, 4, 8};
constexpr int kWordBits = 32;
constexpr int64_t kRowsAtOnce = 64;  // of a transposed matrix
constexpr std::string_view kCodes = ".qweight", kZeros = ".qzeros", kScales = ".scales", kGroups = ".g_idx";

std::vector<Format> AllFormats() {
  std::vector<Format> all;
  for (IntFormat format : AllIntFormats()) {
    format.half_scales = true;
    if (std::ranges::find(kWidths, format.bits) != std::end(kWidths)) all.emplace_back(format);
  }
  all.emplace_back(PlainFormat{});
  return all;
}

std::string Escaped(std::string_view name) {
  std::string text;
  for (const char c : name) text.append(c == '.' ? "\\." : std::string(1, c));
  return text;
}

// A regular expression for all names of a unit's linears. Experts are one layer in vLLM, and have one format.
std::string PatternOf(const v1::UnitInfo& unit) {
  if (!unit.tie().empty()) return "^.*\\." + Escaped(unit.tie()) + "(?:\\..*)?$";
  std::set<std::string> names = {unit.name()};
  for (const auto& linear : unit.linears()) names.insert(linear.name());
  std::string alternatives;
  for (const std::string& name : names) alternatives += (alternatives.empty() ? "" : "|") + Escaped(name);
  return "^(?:" + alternatives + ")$";
}

ordered_json SizesOf(const IntFormat& format) {
  ordered_json sizes;
  sizes["bits"] = format.bits;
  sizes["group_size"] = format.group_size == IntFormat::kChannel ? -1 : format.group_size;
  return sizes;
}

ordered_json Rules(const v1::ModelInfo& info, const v1::Plan& plan, const IntFormat& most) {
  ordered_json rules = ordered_json::object();
  for (int u = 0; u < plan.units_size(); ++u) {
    const Format format = PlannedFormat(plan.units(u));
    if (format == Format(most)) continue;
    const auto* integers = std::get_if<IntFormat>(&format);
    const std::string pattern = PatternOf(info.units(u));
    rules[(integers == nullptr ? "-:" : "+:") + pattern] =
        integers == nullptr ? ordered_json::object() : SizesOf(*integers);
  }
  return rules;
}

// Appends elements [rows, columns] of `from` as [columns, rows].
template <typename T>
absl::Status AppendTransposed(const TensorView& from, SafetensorsWriter& writer) {
  const int64_t rows = from.shape[0], columns = from.shape[1];
  std::vector<T> part(static_cast<size_t>(std::min(kRowsAtOnce, columns) * rows));
  for (int64_t first = 0; first < columns; first += kRowsAtOnce) {
    const int64_t count = std::min(kRowsAtOnce, columns - first);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < count; ++c) {
        T element;
        std::memcpy(&element, from.bytes.data() + static_cast<size_t>(r * columns + first + c) * sizeof(T), sizeof(T));
        part[static_cast<size_t>(c * rows + r)] = element;
      }
    }
    ABSL_RETURN_IF_ERROR(writer.AppendSome(
        std::as_bytes(std::span<const T>(part)).first(static_cast<size_t>(count * rows) * sizeof(T))));
  }
  return absl::OkStatus();
}

class GptqTarget final : public HuggingFaceTarget {
 public:
  std::string_view name() const override { return "gptq"; }

  std::span<const Format> formats() const override {
    static const auto& formats = *new std::vector<Format>(AllFormats());
    return formats;
  }

  bool Stores(const Format& format, int64_t out, int64_t in) const override {
    const auto* integers = std::get_if<IntFormat>(&format);
    return Fits(format, in) &&
           (integers == nullptr || (in * integers->bits % kWordBits == 0 && out * integers->bits % kWordBits == 0));
  }

  int64_t LinearBytes(const Format& format, int64_t out, int64_t in, DType type) const override {
    int64_t bytes = 0;
    for (const StoredTensor& tensor : Tensors(format, out, in, type)) bytes += tensor.bytes();
    return bytes;
  }

  CardParts Card() const override {
    return {
        "transformers", std::string(name()),
        "Weights of the decoder linears are symmetric integers in GPTQ's checkpoint format (version 1); embeddings, "
        "norms and the output head are unchanged."};
  }

 protected:
  std::string QuantizationConfig(const v1::ModelInfo& info, const v1::Plan& plan) const override {
    const std::optional<IntFormat> most = MostUsed<IntFormat>(info, plan);
    if (!most.has_value()) return "";
    ordered_json config;
    config["quant_method"] = "gptq";
    config["checkpoint_format"] = "gptq";
    config.update(SizesOf(*most));
    config["desc_act"] = false;
    config["sym"] = true;
    config["lm_head"] = false;
    if (ordered_json rules = Rules(info, plan, *most); !rules.empty()) config["dynamic"] = std::move(rules);
    return config.dump();
  }

  std::vector<StoredTensor> Tensors(const Format& format, int64_t out, int64_t in, DType type) const override {
    const auto* integers = std::get_if<IntFormat>(&format);
    if (integers == nullptr) return StoredTensors(format, out, in, type);
    const int64_t groups = integers->Groups(in);
    return {{kCodes, DType::kI32, {in * integers->bits / kWordBits, out}},
            {kZeros, DType::kI32, {groups, out * integers->bits / kWordBits}},
            {kScales, DType::kF16, {groups, out}},
            {kGroups, DType::kI32, {in}}};
  }

  absl::Status Append(const std::string& name, const Format& format, const StoredTensor& tensor,
                      const PackedUnits& packed, SafetensorsWriter& writer) const override {
    const auto* integers = std::get_if<IntFormat>(&format);
    if (integers == nullptr) {
      return AppendPacked(name + std::string(tensor.suffix), tensor.bytes(), packed, writer);
    }
    if (tensor.suffix == kZeros) return AppendZeros(*integers, tensor, writer);
    if (tensor.suffix == kGroups) return AppendGroups(*integers, tensor.shape[0], writer);
    // Both streams run along the inputs in words of 32 bits: only the words stand in another order.
    const bool codes = tensor.suffix == kCodes;
    const std::string from = name + (codes ? ".weight_packed" : ".weight_scale");
    const auto found = packed.Find(from);
    const std::vector<int64_t> shape = {tensor.shape[1], tensor.shape[0]};
    if (!found || found->view.dtype != tensor.dtype || found->view.shape != shape) return WeightsLackError(from);
    ABSL_RETURN_IF_ERROR(codes ? AppendTransposed<uint32_t>(found->view, writer)
                               : AppendTransposed<uint16_t>(found->view, writer));
    found->file->Release(found->view.bytes);
    return absl::OkStatus();
  }

 private:
  static absl::Status AppendZeros(IntFormat format, const StoredTensor& tensor, SafetensorsWriter& writer) {
    const int64_t out = tensor.shape[1] * kWordBits / format.bits;
    const std::vector<int8_t> codes(static_cast<size_t>(out), -1);  // stored as 2^(bits−1) − 1
    std::vector<uint32_t> words(static_cast<size_t>(tensor.shape[1]));
    PackCodes(format.bits, 1, out, codes, words);
    for (int64_t g = 0; g < tensor.shape[0]; ++g) {
      ABSL_RETURN_IF_ERROR(writer.AppendSome(std::as_bytes(std::span<const uint32_t>(words))));
    }
    return absl::OkStatus();
  }

  static absl::Status AppendGroups(IntFormat format, int64_t in, SafetensorsWriter& writer) {
    std::vector<int32_t> groups;
    for (int64_t j = 0; j < in; ++j) groups.push_back(static_cast<int32_t>(j / format.GroupWidth(in)));
    return writer.Append(groups.data(), groups.size() * sizeof(int32_t));
  }
};

}  // namespace

const Target& Gptq() {
  static const auto& target = *new GptqTarget;
  return target;
}

}  // namespace bitwright::worker
