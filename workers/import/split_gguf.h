#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf.h"
#include "workers/checkpoint/model_files.h"

namespace bitwright::worker {

// A GGUF model: one file, or the parts that it was split into, of which the first has the metadata. Mapped; thread-safe
// once open.
class SplitGguf {
 public:
  struct Located {
    std::shared_ptr<const GgufFile> file;
    std::string name;  // of the file within the model, for errors
    size_t tensor = 0;

    const GgufTensor& operator*() const { return file->tensors()[tensor]; }
    const GgufTensor* operator->() const { return &file->tensors()[tensor]; }
  };

  // The files `names` of the model. Errors of GgufFile; GGUF_DUPLICATE_TENSOR: two parts hold it.
  static absl::StatusOr<SplitGguf> Open(const ModelFiles& files, const std::vector<std::string>& names);

  const std::string& file() const { return file_; }  // the first one
  const GgufMetadata& metadata() const { return first_->metadata(); }
  const std::map<std::string, Located>& tensors() const { return tensors_; }
  bool Has(const std::string& tensor) const { return tensors_.contains(tensor); }

 private:
  std::string file_;
  std::shared_ptr<const GgufFile> first_;
  std::map<std::string, Located> tensors_;
};

}  // namespace bitwright::worker
