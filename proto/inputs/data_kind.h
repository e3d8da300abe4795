#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"

namespace bitwright {

// How many bytes from the start of a file tell what it is.
inline constexpr int kDataHeadBytes = 1 << 16;

// What a file of text or token ids is, by its first kDataHeadBytes bytes (fewer only where the file is shorter) and its
// name, which is used in messages and to tell prose from tables. Errors, all INVALID_ARGUMENT: DATA_NOT_TEXT (parquet,
// archives, other binary data, UTF-16: named), DATA_IS_TABLE (CSV or TSV by name), DATA_IS_JSON (one JSON document, or
// lines without a field that we know), DATA_NOT_UTF8. Each names the file and what to do; where a person may know
// better, that is to state the kind (--data-kind).
absl::StatusOr<v1::Data::Kind> RecognizeData(std::string_view name, std::string_view head);

// "text", "documents", "ids": what people call a kind; and back, KIND_UNSPECIFIED for any other word.
std::string DataKindName(v1::Data::Kind kind);
v1::Data::Kind ParseDataKind(std::string_view word);

}  // namespace bitwright
