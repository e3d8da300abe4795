#include "workers/checkpoint/gguf_errors.h"

#include <map>
#include <string>

#include "proto/base/errors.h"

namespace bitwright::worker {
namespace {

using Facts = std::map<std::string, std::string>;

// Names come from hostile files: show a bounded part.
std::string Cut(std::string_view text) { return std::string(text.substr(0, 200)); }
std::string Show(std::string_view text) { return "'" + Cut(text) + "'"; }
template <typename T>
std::string Text(T number) {
  return std::to_string(number);
}

absl::Status Refuse(std::string_view reason, std::string_view file, const std::string& message, Facts facts = {}) {
  facts["file"] = Cut(file);
  return MakeError(absl::StatusCode::kInvalidArgument, reason, "file " + Show(file) + message, std::move(facts));
}

absl::Status RefuseKey(std::string_view reason, std::string_view file, std::string_view key, const std::string& message,
                       Facts facts = {}) {
  facts["key"] = Cut(key);
  return Refuse(reason, file, ", key " + Show(key) + message, std::move(facts));
}

absl::Status RefuseTensor(std::string_view reason, std::string_view file, std::string_view tensor,
                          const std::string& message, Facts facts = {}) {
  facts["tensor"] = Cut(tensor);
  return Refuse(reason, file, ", tensor " + Show(tensor) + message, std::move(facts));
}

}  // namespace

absl::Status GgufTruncatedError(std::string_view file, std::string_view what, uint64_t byte, uint64_t needed,
                                uint64_t left) {
  return Refuse("GGUF_TRUNCATED", file,
                " has " + Text(left) + " bytes from byte " + Text(byte) + " on, but " + Cut(what) + " there needs " +
                    Text(needed) + "; it was cut short or is damaged, copy it again",
                {{"byte", Text(byte)}, {"needed", Text(needed)}, {"left", Text(left)}});
}

absl::Status GgufMagicWrongError(std::string_view file, std::string_view magic) {
  return Refuse("GGUF_MAGIC_WRONG", file,
                " begins with " + Show(magic) + " at byte 0, not with 'GGUF'; give a GGUF file", {{"byte", "0"}});
}

absl::Status GgufVersionUnsupportedError(std::string_view file, uint32_t version) {
  return Refuse("GGUF_VERSION_UNSUPPORTED", file,
                " is of GGUF version " + Text(version) +
                    " at byte 4; read are 2 and 3 in little endian, so convert the model anew",
                {{"byte", "4"}, {"version", Text(version)}});
}

absl::Status GgufCountTooLargeError(std::string_view file, std::string_view what, uint64_t byte, uint64_t count,
                                    uint64_t limit) {
  return Refuse("GGUF_COUNT_TOO_LARGE", file,
                " declares " + Text(count) + " " + Cut(what) + " at byte " + Text(byte) + "; the limit is " +
                    Text(limit) + " there, so it was cut short or is damaged: copy it again",
                {{"byte", Text(byte)}, {"count", Text(count)}, {"limit", Text(limit)}});
}

absl::Status GgufKeyInvalidError(std::string_view file, std::string_view key, uint64_t byte, uint64_t size,
                                 uint64_t limit) {
  return RefuseKey("GGUF_KEY_INVALID", file, key,
                   " at byte " + Text(byte) + " has " + Text(size) + " bytes; allowed are 1 to " + Text(limit),
                   {{"byte", Text(byte)}, {"limit", Text(limit)}});
}

absl::Status GgufDuplicateKeyError(std::string_view file, std::string_view key, uint64_t byte) {
  return RefuseKey("GGUF_DUPLICATE_KEY", file, key, " occurs again at byte " + Text(byte) + "; each key may occur once",
                   {{"byte", Text(byte)}});
}

absl::Status GgufValueInvalidError(std::string_view file, std::string_view key, uint64_t byte, std::string_view why) {
  return RefuseKey("GGUF_VALUE_INVALID", file, key, ": the value, at byte " + Text(byte) + ", " + Cut(why),
                   {{"byte", Text(byte)}});
}

absl::Status GgufAlignmentInvalidError(std::string_view file, std::string_view value) {
  return RefuseKey("GGUF_ALIGNMENT_INVALID", file, "general.alignment",
                   " is " + Cut(value) + "; it must be a u32, a power of two, and at least 8", {{"value", Cut(value)}});
}

absl::Status GgufKeyMissingError(std::string_view file, std::string_view key) {
  return RefuseKey("GGUF_KEY_MISSING", file, key, " is not there but needed; convert the model anew");
}

absl::Status GgufValueKindWrongError(std::string_view file, std::string_view key, std::string_view kind,
                                     std::string_view wanted) {
  return RefuseKey("GGUF_VALUE_KIND_WRONG", file, key, " is of kind " + Cut(kind) + "; needed is " + Cut(wanted),
                   {{"kind", Cut(kind)}, {"wanted", Cut(wanted)}});
}

absl::Status GgufTensorInvalidError(std::string_view file, std::string_view tensor, uint64_t byte,
                                    std::string_view why) {
  return RefuseTensor("GGUF_TENSOR_INVALID", file, tensor, ": what is declared at byte " + Text(byte) + " " + Cut(why),
                      {{"byte", Text(byte)}});
}

absl::Status GgufDuplicateTensorError(std::string_view file, std::string_view tensor, uint64_t byte) {
  return RefuseTensor("GGUF_DUPLICATE_TENSOR", file, tensor,
                      " is declared again at byte " + Text(byte) + "; each name may occur once",
                      {{"byte", Text(byte)}});
}

absl::Status GgufTypeUnknownError(std::string_view file, std::string_view tensor, uint64_t byte, uint32_t type) {
  return RefuseTensor("GGUF_TYPE_UNKNOWN", file, tensor,
                      " is of ggml type " + Text(type) + " at byte " + Text(byte) +
                          ", which is unknown here or not for files; quantize the model to another type",
                      {{"byte", Text(byte)}, {"type", Text(type)}});
}

absl::Status GgufRowNotBlocksError(std::string_view file, std::string_view tensor, int64_t row, std::string_view type,
                                   int64_t values_per_block) {
  return RefuseTensor("GGUF_ROW_NOT_BLOCKS", file, tensor,
                      " has rows of " + Text(row) + " elements; type " + Cut(type) + " asks for a multiple of " +
                          Text(values_per_block),
                      {{"row", Text(row)}, {"type", Cut(type)}, {"limit", Text(values_per_block)}});
}

absl::Status GgufShapeOverflowError(std::string_view file, std::string_view tensor, std::string_view shape) {
  return RefuseTensor("GGUF_SHAPE_OVERFLOW", file, tensor,
                      ": the size of shape " + Cut(shape) + " does not fit 63 bits", {{"shape", Cut(shape)}});
}

absl::Status GgufOffsetMisalignedError(std::string_view file, std::string_view tensor, uint64_t offset,
                                       int64_t alignment) {
  return RefuseTensor("GGUF_OFFSET_MISALIGNED", file, tensor,
                      " is at byte " + Text(offset) + " of the data part, which is no multiple of " + Text(alignment),
                      {{"offset", Text(offset)}, {"limit", Text(alignment)}});
}

absl::Status GgufOverlapError(std::string_view file, std::string_view tensor, std::string_view other, uint64_t offset) {
  return RefuseTensor("GGUF_OVERLAP", file, tensor,
                      " is at byte " + Text(offset) + " of the data part, before the end of tensor " + Show(other) +
                          ", which is declared before it",
                      {{"other", Cut(other)}, {"offset", Text(offset)}});
}

absl::Status GgufHoleError(std::string_view file, std::string_view tensor, int64_t begin, uint64_t offset) {
  return RefuseTensor(
      "GGUF_HOLE", file, tensor,
      " is at byte " + Text(offset) + " of the data part; bytes from " + Text(begin) + " to there belong to no tensor",
      {{"begin", Text(begin)}, {"offset", Text(offset)}});
}

absl::Status GgufPastEndError(std::string_view file, std::string_view tensor, uint64_t offset, int64_t bytes,
                              int64_t available) {
  return RefuseTensor("GGUF_PAST_END", file, tensor,
                      " has " + Text(bytes) + " bytes at byte " + Text(offset) + " of the data part, which has " +
                          Text(available) + "; the file was cut short, copy it again",
                      {{"offset", Text(offset)}, {"bytes", Text(bytes)}, {"available", Text(available)}});
}

absl::Status GgufTrailingBytesError(std::string_view file, int64_t end, int64_t available) {
  return Refuse("GGUF_TRAILING_BYTES", file,
                ": the last tensor ends at byte " + Text(end) + " of the data part, which has " + Text(available) +
                    " bytes; more than padding may not follow",
                {{"end", Text(end)}, {"available", Text(available)}});
}

absl::Status GgufNameTooLongError(std::string_view file, std::string_view tensor, uint64_t limit) {
  return RefuseTensor("GGUF_NAME_TOO_LONG", file, tensor,
                      " cannot be written: its name has " + Text(tensor.size()) + " bytes; the limit is " + Text(limit),
                      {{"limit", Text(limit)}});
}

}  // namespace bitwright::worker
