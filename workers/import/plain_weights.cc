#include "workers/import/plain_weights.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "proto/base/status_macros.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

constexpr char kIndexName[] = "model.safetensors.index.json";

// [begin, end) of the tensors.
struct Shard {
  size_t begin = 0, end = 0;
};

std::vector<Shard> Cut(const std::vector<PlainTensor>& tensors, int64_t shard_bytes) {
  std::vector<Shard> shards(1);
  int64_t bytes = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const int64_t more = tensors[i].declaration.bytes();
    if (bytes > 0 && more > shard_bytes - bytes) {
      shards.push_back({i, i});
      bytes = 0;
    }
    bytes += more;
    shards.back().end = i + 1;
  }
  return shards;
}

std::string NameOf(size_t shard, size_t shards) {
  return shards == 1 ? "model.safetensors" : absl::StrFormat("model-%05d-of-%05d.safetensors", shard + 1, shards);
}

std::string IndexText(const std::vector<PlainTensor>& tensors, const std::vector<Shard>& shards, int64_t bytes) {
  std::string text = absl::StrFormat("{\n  \"metadata\": {\n    \"total_size\": %d\n  },\n  \"weight_map\": {", bytes);
  for (size_t s = 0; s < shards.size(); ++s) {
    for (size_t i = shards[s].begin; i < shards[s].end; ++i) {
      text += (i == 0 ? "\n    " : ",\n    ") + nlohmann::json(tensors[i].declaration.name).dump() + ": \"" +
              NameOf(s, shards.size()) + "\"";
    }
  }
  return text + "\n  }\n}\n";
}

}  // namespace

absl::Status WritePlainWeights(const std::vector<PlainTensor>& tensors, int64_t shard_bytes, const PlaceFile& place,
                               const std::function<absl::Status(const std::string& path)>& written,
                               const std::function<void(double share)>& progress) {
  const std::vector<Shard> shards = Cut(tensors, shard_bytes);
  int64_t all = 0, done = 0;
  for (const PlainTensor& tensor : tensors) all += tensor.declaration.bytes();
  for (size_t s = 0; s < shards.size(); ++s) {
    const std::string name = NameOf(s, shards.size());
    std::vector<TensorDeclaration> declared;
    for (size_t i = shards[s].begin; i < shards[s].end; ++i) declared.push_back(tensors[i].declaration);
    ABSL_ASSIGN_OR_RETURN(auto writer, SafetensorsWriter::Create(place(name), std::move(declared), {{"format", "pt"}}));
    for (size_t i = shards[s].begin; i < shards[s].end; ++i) {
      ABSL_RETURN_IF_ERROR(
          tensors[i].write([&](std::span<const std::byte> bytes) { return writer.AppendSome(bytes); }));
      done += tensors[i].declaration.bytes();
      progress(static_cast<double>(done) / static_cast<double>(std::max<int64_t>(all, 1)));
    }
    ABSL_RETURN_IF_ERROR(writer.Close());
    ABSL_RETURN_IF_ERROR(written(name));
  }
  if (shards.size() == 1) return absl::OkStatus();
  ABSL_RETURN_IF_ERROR(WriteFile(place(kIndexName), IndexText(tensors, shards, all)));
  return written(kIndexName);
}

}  // namespace bitwright::worker
