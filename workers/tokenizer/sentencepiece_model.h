#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// What a tokenizer.model says of how to encode: the fields of SentencePiece's ModelProto that matter, with their
// defaults. Numbers of fields are given beside the names.
struct SentencePieceModel {
  enum class PieceType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
  enum class ModelType { kUnigram = 1, kBpe = 2, kWord = 3, kChar = 4 };

  struct Piece {                          // 1
    std::string text;                     // 1
    float score = 0;                      // 2
    PieceType type = PieceType::kNormal;  // 3
  };
  std::vector<Piece> pieces;  // by id

  // 2: trainer_spec
  ModelType model_type = ModelType::kUnigram;  // 3
  bool treat_whitespace_as_suffix = false;     // 24
  bool byte_fallback = false;                  // 35
  std::string bos_piece = "<s>";               // 46
  std::string eos_piece = "</s>";              // 47
  std::string pad_piece = "<pad>";             // 48

  // 3: normalizer_spec
  std::string precompiled_charsmap;      // 2
  bool add_dummy_prefix = true;          // 3
  bool remove_extra_whitespaces = true;  // 4
  bool escape_whitespaces = true;        // 5
};

inline constexpr int64_t kMaxSentencePieceBytes = int64_t{64} << 20;
inline constexpr size_t kMaxPieceTextBytes = 512;

// TOKENIZER_INVALID, naming the field: not this protobuf, a limit passed, a piece that is empty, too long, not UTF-8 or
// there twice, a score that is not finite, an enum or a flag out of range.
absl::StatusOr<SentencePieceModel> ReadSentencePieceModel(std::string_view bytes);

}  // namespace bitwright::worker
