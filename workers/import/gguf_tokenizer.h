#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "workers/import/split_gguf.h"

namespace bitwright::worker {

// tokenizer.json and tokenizer_config.json that the tokenizer.ggml.* entries of a GGUF stand for, by path: the inverse
// of targets/gguf_vocabulary.h.
//   "gpt2"    BPE by bytes; how a text is cut first is what tokenizer.ggml.pre names (targets/gguf_first_cut.h)
//   "llama"   BPE by characters with bytes for others; the merges that joining by scores comes to, as transformers
//             lists them for a SentencePiece model
//   "gemma4"  the same with merges of its own
//   "none"    no tokenizer: no files
// Control and user-defined tokens are added tokens; unused ones are left out. IMPORT_GGUF_UNSUPPORTED: another model or
// first cut. TOKENIZER_INVALID: lists that do not fit each other, ids beyond `vocab_size`, text that is not UTF-8.
absl::StatusOr<std::map<std::string, std::string>> ReadGgufTokenizer(const SplitGguf& parts, int64_t vocab_size);

}  // namespace bitwright::worker
