#include "workers/tokenizer/sentencepiece_model.h"

#include <bit>
#include <cmath>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "workers/tokenizer/json_reader.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/wire_reader.h"

namespace bitwright::worker {
namespace {

using Kind = WireReader::Kind;

absl::Status Damaged(std::string_view field) {
  return SentencePieceInvalidError(field, "is no message of SentencePiece's ModelProto");
}

absl::Status MustBe(const WireReader& reader, Kind kind, std::string_view field) {
  return reader.kind() == kind ? absl::OkStatus() : Damaged(field);
}

// Into `to`, of the field's current value.
absl::Status ReadFlag(const WireReader& reader, std::string_view field, bool& to) {
  ABSL_RETURN_IF_ERROR(MustBe(reader, Kind::kVarint, field));
  to = reader.number() != 0;
  return absl::OkStatus();
}

absl::Status ReadText(const WireReader& reader, std::string_view field, std::string& to) {
  ABSL_RETURN_IF_ERROR(MustBe(reader, Kind::kBytes, field));
  to = reader.bytes();
  return absl::OkStatus();
}

template <typename Enum>
absl::Status ReadEnum(const WireReader& reader, std::string_view field, Enum last, Enum& to) {
  ABSL_RETURN_IF_ERROR(MustBe(reader, Kind::kVarint, field));
  if (reader.number() < 1 || reader.number() > static_cast<uint64_t>(last)) {
    return SentencePieceInvalidError(field, absl::StrCat(reader.number(), " is not in 1 to ", static_cast<int>(last)));
  }
  to = static_cast<Enum>(reader.number());
  return absl::OkStatus();
}

absl::StatusOr<SentencePieceModel::Piece> ReadPiece(std::string_view bytes, const std::string& field) {
  SentencePieceModel::Piece piece;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) {
      ABSL_RETURN_IF_ERROR(ReadText(reader, field + ".piece", piece.text));
    } else if (reader.field() == 2) {
      ABSL_RETURN_IF_ERROR(MustBe(reader, Kind::kFixed32, field + ".score"));
      piece.score = std::bit_cast<float>(static_cast<uint32_t>(reader.number()));
    } else if (reader.field() == 3) {
      ABSL_RETURN_IF_ERROR(ReadEnum(reader, field + ".type", SentencePieceModel::PieceType::kByte, piece.type));
    }
  }
  if (reader.damaged()) return Damaged(field);
  if (piece.text.empty() || piece.text.size() > kMaxPieceTextBytes) {
    return SentencePieceInvalidError(field + ".piece", absl::StrCat("must have 1 to ", kMaxPieceTextBytes, " bytes"));
  }
  if (ValidUtf8Prefix(piece.text) != piece.text.size()) {
    return SentencePieceInvalidError(field + ".piece", "is not UTF-8");
  }
  if (!std::isfinite(piece.score)) return SentencePieceInvalidError(field + ".score", "is not finite");
  return piece;
}

absl::Status ReadTrainer(std::string_view bytes, SentencePieceModel& model) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 3) {
      ABSL_RETURN_IF_ERROR(
          ReadEnum(reader, "trainer_spec.model_type", SentencePieceModel::ModelType::kChar, model.model_type));
    } else if (reader.field() == 24) {
      ABSL_RETURN_IF_ERROR(
          ReadFlag(reader, "trainer_spec.treat_whitespace_as_suffix", model.treat_whitespace_as_suffix));
    } else if (reader.field() == 35) {
      ABSL_RETURN_IF_ERROR(ReadFlag(reader, "trainer_spec.byte_fallback", model.byte_fallback));
    } else if (reader.field() == 46) {
      ABSL_RETURN_IF_ERROR(ReadText(reader, "trainer_spec.bos_piece", model.bos_piece));
    } else if (reader.field() == 47) {
      ABSL_RETURN_IF_ERROR(ReadText(reader, "trainer_spec.eos_piece", model.eos_piece));
    } else if (reader.field() == 48) {
      ABSL_RETURN_IF_ERROR(ReadText(reader, "trainer_spec.pad_piece", model.pad_piece));
    }
  }
  return reader.damaged() ? Damaged("trainer_spec") : absl::OkStatus();
}

absl::Status ReadNormalizerSpec(std::string_view bytes, SentencePieceModel& model) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 2) {
      ABSL_RETURN_IF_ERROR(ReadText(reader, "normalizer_spec.precompiled_charsmap", model.precompiled_charsmap));
    } else if (reader.field() == 3) {
      ABSL_RETURN_IF_ERROR(ReadFlag(reader, "normalizer_spec.add_dummy_prefix", model.add_dummy_prefix));
    } else if (reader.field() == 4) {
      ABSL_RETURN_IF_ERROR(
          ReadFlag(reader, "normalizer_spec.remove_extra_whitespaces", model.remove_extra_whitespaces));
    } else if (reader.field() == 5) {
      ABSL_RETURN_IF_ERROR(ReadFlag(reader, "normalizer_spec.escape_whitespaces", model.escape_whitespaces));
    }
  }
  return reader.damaged() ? Damaged("normalizer_spec") : absl::OkStatus();
}

absl::Status CheckDistinct(const std::vector<SentencePieceModel::Piece>& pieces) {
  absl::flat_hash_set<std::string_view> seen;
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (!seen.insert(pieces[id].text).second) {
      return SentencePieceInvalidError(absl::StrCat("pieces[", id, "]"),
                                       absl::StrCat("\"", pieces[id].text, "\" occurs twice"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SentencePieceModel> ReadSentencePieceModel(std::string_view bytes) {
  if (static_cast<int64_t>(bytes.size()) > kMaxSentencePieceBytes) {
    return SentencePieceInvalidError("the file", absl::StrCat("has more than ", kMaxSentencePieceBytes, " bytes"));
  }
  SentencePieceModel model;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() > 3) continue;
    ABSL_RETURN_IF_ERROR(MustBe(reader, Kind::kBytes, "the file"));
    if (reader.field() == 1) {
      if (model.pieces.size() >= static_cast<size_t>(kMaxVocabulary)) {
        return SentencePieceInvalidError("pieces", absl::StrCat("there are more than ", kMaxVocabulary));
      }
      ABSL_ASSIGN_OR_RETURN(model.pieces.emplace_back(),
                            ReadPiece(reader.bytes(), absl::StrCat("pieces[", model.pieces.size(), "]")));
    } else if (reader.field() == 2) {
      ABSL_RETURN_IF_ERROR(ReadTrainer(reader.bytes(), model));
    } else {
      ABSL_RETURN_IF_ERROR(ReadNormalizerSpec(reader.bytes(), model));
    }
  }
  if (reader.damaged()) return Damaged("the file");
  ABSL_RETURN_IF_ERROR(CheckDistinct(model.pieces));
  return model;
}

}  // namespace bitwright::worker
