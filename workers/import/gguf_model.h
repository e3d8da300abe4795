#pragma once

#include "absl/status/statusor.h"
#include "workers/checkpoint/model_files.h"
#include "workers/import/plain_model.h"

namespace bitwright::worker {

// A GGUF as the checkpoint that it was made from: the inverse of targets/gguf.h, by the same tables.
//   config.json      from metadata, held against the file (gguf_config.h)
//   tokenizer        from tokenizer.ggml.* (gguf_tokenizer.h)
//   weights          F32, F16, BF16, and Q8_0 as d · q in F32, in the names, the order of rows and the shapes of the
//                    checkpoint; norms less what conversion added to them
// No value changes. All matrices of blocks get one dtype, BF16 or F16, where every one of them holds such values alone
// (an F32 file of a BF16 model does), else F32; so does each other tensor by itself.
// Errors of SplitGguf, ReadGgufConfig and ReadGgufTokenizer; IMPORT_TENSOR_UNSUPPORTED: another type, which is named.
// Keeps the files mapped as long as its tensors live.
absl::StatusOr<PlainModel> ReadGgufModel(const ModelFiles& files);

}  // namespace bitwright::worker
