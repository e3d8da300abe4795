#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "bitwright/v1/reports.pb.h"

namespace bitwright::v1 {
class ModelInfo;
class Plan;
}  // namespace bitwright::v1

namespace bitwright::worker {

// Bytes of an artifact, or of one of its files, by what they serve. They add up to all of them.
class SizeParts {
 public:
  void Add(v1::SizePart::Kind kind, int64_t bytes) { Add(kind, "", bytes); }
  void Add(v1::SizePart::Kind kind, const std::string& format, int64_t bytes) { bytes_[{kind, format}] += bytes; }

  int64_t total() const;
  // Parts that have bytes, by kind, then format.
  google::protobuf::RepeatedPtrField<v1::SizePart> ToProto() const;

 private:
  std::map<std::pair<v1::SizePart::Kind, std::string>, int64_t> bytes_;
};

// Which part the tensors of a plan's weights belong to.
class TensorParts {
 public:
  TensorParts(const v1::ModelInfo& info, const v1::Plan& plan);

  // Adds a tensor by its name in the checkpoint or the artifact: that of a linear, '.' and what it is of it. A bias
  // stays as it is, whatever becomes of the weights.
  void Add(std::string_view tensor, int64_t bytes, SizeParts& parts) const;

 private:
  std::map<std::string, std::pair<v1::SizePart::Kind, std::string>, std::less<>> parts_;  // linear → kind, format
};

// Of a file that the artifact takes over: tokenizer and chat template, or something else.
v1::SizePart::Kind PartOfCarriedFile(const std::string& path);

}  // namespace bitwright::worker
