#pragma once

#include <string>
#include <vector>

#include "bitwright/v1/models.pb.h"
#include "proto/inputs/model_folder.h"
#include "workers/model/weights.h"

namespace bitwright::worker {

// What was accepted although it is unusual, and what it was taken for: notices of ModelInfo, which every report
// repeats.
//   FILES_LEFT_OUT        files of the manifest that are not part of the model
//   MODEL_CODE_LEFT_OUT   code that config.json names in auto_map
//   HEAD_NOT_TIED         config.json ties head and embedding, and the checkpoint holds two different ones
//   EMBEDDING_IS_HEAD     it ties them, and the checkpoint holds the head alone
//   INDEX_DIFFERS         the index names tensors that no shard holds, or lacks some that one does
//   TENSORS_LEFT_OUT      tensors that the model does not read
//   MODEL_IMPORTED        the files are what an import made of others
void AddModelNotices(const ModelFolder& folder, const std::vector<SortedFile>& sorted, const Model& model,
                     const std::vector<std::string>& leftovers, v1::ModelInfo& info);

// FILES_LEFT_OUT alone, and MODEL_IMPORTED, of what info.imported and info.dtype say.
void AddFileNotices(const std::vector<SortedFile>& sorted, google::protobuf::RepeatedPtrField<v1::Notice>& notices);
void AddImportNotice(v1::ModelInfo& info);

// "a, b, c and 12 more"
std::string NameList(const std::vector<std::string>& names);

}  // namespace bitwright::worker
