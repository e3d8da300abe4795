#include "workers/import/gguf_model.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "proto/base/status_macros.h"
#include "proto/inputs/import_form.h"
#include "workers/checkpoint/folder_files.h"
#include "workers/families/dtype_name.h"
#include "workers/import/gguf_config.h"
#include "workers/import/gguf_tokenizer.h"
#include "workers/import/gguf_values.h"
#include "workers/import/import_errors.h"

namespace bitwright::worker {
namespace {

// A tensor of the checkpoint, before its dtype is known.
struct Found {
  std::string name;
  std::vector<int64_t> shape;
  GgufValues values;
  bool linear = false;  // of a block: all of them get one dtype
};

// Names of linears' weights of blocks: of all, and of those that the checkpoint stores transposed.
struct Linears {
  std::set<std::string> all, transposed;
};

Linears LinearsOf(const ModelConfig& config) {
  Linears linears;
  for (int64_t b = 0; b < config.layers; ++b) {
    const BlockProgram block = config.block(b);
    for (const UnitSpec& unit : block.units) {
      for (const LinearSpec& linear : unit.linears) {
        linears.all.insert(linear.name + ".weight");
        if (linear.transposed) linears.transposed.insert(linear.name + ".weight");
      }
    }
  }
  return linears;
}

// All tensors of the checkpoint that one tensor of the file holds: one, or that of each expert.
absl::Status Take(const SplitGguf& parts, const GgufSource& source, const Linears& linears, std::vector<Found>& found) {
  if (!source.values.empty()) return absl::OkStatus();
  const SplitGguf::Located& tensor = parts.tensors().at(source.name);
  std::vector<std::string> names = {source.tensor};
  names.insert(names.end(), source.further.begin(), source.further.end());
  const bool vector = source.shape.size() == 1;
  const bool experts = source.shape.size() == 3;
  std::vector<int64_t> shape(source.shape.begin() + (experts ? 1 : 0), source.shape.end());
  const int64_t rows = shape[0], columns = vector ? 1 : shape.back();
  for (size_t e = 0; e < names.size(); ++e) {
    const bool transposed = linears.transposed.contains(names[e]);
    if (transposed) std::swap(shape[0], shape[1]);
    GgufValues values(tensor, static_cast<int64_t>(e) * rows, rows, columns, source, transposed);
    if (!values.IsKnown() || (vector && tensor->type.values_per_block > 1)) {
      return GgufTypeError(tensor.name, source.name, tensor->type.name);
    }
    found.push_back({names[e], shape, std::move(values), linears.all.contains(names[e])});
  }
  return absl::OkStatus();
}

DType NarrowestOf(const std::vector<const GgufValues*>& all) {
  for (const DType dtype : {DType::kBF16, DType::kF16}) {
    const bool fits =
        std::all_of(all.begin(), all.end(), [&](const GgufValues* values) { return values->Fits(dtype); });
    if (fits) return dtype;
  }
  return DType::kF32;
}

// That of the matrices where it holds the values, else F32.
DType DTypeOf(const Found& tensor, DType linears) {
  if (tensor.linear || (linears != DType::kF32 && tensor.values.Fits(linears))) return linears;
  return NarrowestOf({&tensor.values});
}

}  // namespace

absl::StatusOr<PlainModel> ReadGgufModel(const ModelFiles& files) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> names, GgufParts(FolderOf(files)));
  ABSL_ASSIGN_OR_RETURN(const SplitGguf parts, SplitGguf::Open(files, names));
  ABSL_ASSIGN_OR_RETURN(GgufModelConfig read, ReadGgufConfig(parts));
  const Linears linears = LinearsOf(read.config);
  std::vector<Found> found;
  for (const GgufSource& source : read.described.tensors) {
    ABSL_RETURN_IF_ERROR(Take(parts, source, linears, found));
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.name < b.name; });
  std::vector<const GgufValues*> matrices;
  for (const Found& tensor : found) {
    if (tensor.linear) matrices.push_back(&tensor.values);
  }
  const DType dtype = NarrowestOf(matrices);
  PlainModel model;
  auto config = nlohmann::ordered_json::parse(read.text);
  config["dtype"] = TorchDTypeName(dtype);
  ABSL_ASSIGN_OR_RETURN(model.texts, ReadGgufTokenizer(parts, read.config.vocab));
  model.texts["config.json"] = config.dump(2) + "\n";
  for (Found& tensor : found) {
    const DType own = DTypeOf(tensor, dtype);
    model.tensors.push_back(
        {{tensor.name, own, tensor.shape},
         [values = std::move(tensor.values), own](const TakeBytes& take) { return values.Write(own, take); }});
  }
  return model;
}

}  // namespace bitwright::worker
