#include "workers/import/split_gguf.h"

#include <utility>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/gguf_errors.h"

namespace bitwright::worker {

absl::StatusOr<SplitGguf> SplitGguf::Open(const ModelFiles& files, const std::vector<std::string>& names) {
  SplitGguf parts;
  for (const std::string& name : names) {
    const auto file = files.find(name);
    if (file == files.end()) return ModelFileMissingError(name, "it is a part of the model");
    if (!file->second.pieces.empty()) return BytesNotGivenError(name, "all of it");
    ABSL_ASSIGN_OR_RETURN(GgufFile opened, GgufFile::Open(file->second.path, name));
    const auto part = std::make_shared<const GgufFile>(std::move(opened));
    if (parts.first_ == nullptr) {
      parts.first_ = part;
      parts.file_ = name;
    }
    for (size_t i = 0; i < part->tensors().size(); ++i) {
      const std::string& tensor = part->tensors()[i].name;
      if (!parts.tensors_.emplace(tensor, Located{part, name, i}).second) {
        return GgufDuplicateTensorError(name, tensor, part->header_bytes());
      }
    }
  }
  return parts;
}

}  // namespace bitwright::worker
