#include "proto/inputs/data_kind.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "proto/base/utf8.h"
#include "proto/inputs/input_errors.h"

namespace bitwright {
namespace {

using nlohmann::json;
using Kind = v1::Data::Kind;

constexpr int kTableLines = 10;  // this many lines with the same number of separators are a table
constexpr int kTableSeparators = 2;

struct Signature {
  std::string_view bytes;
  const char* what;
  const char* remedy;
};
constexpr char kExtract[] = "extract it first";
constexpr char kToJsonLines[] = "write its text column to JSON lines with a field 'text'";
constexpr std::array<Signature, 14> kSignatures{{
    {"PAR1", "a parquet file", kToJsonLines},
    {"ARROW1", "an Arrow file", kToJsonLines},
    {"SQLite format 3", "an SQLite database", kToJsonLines},
    {"\x1f\x8b", "compressed with gzip", kExtract},
    {"\x28\xb5\x2f\xfd", "compressed with zstd", kExtract},
    {"\xfd\x37zXZ", "compressed with xz", kExtract},
    {"BZh", "compressed with bzip2", kExtract},
    {"PK\x03\x04", "a ZIP archive", kExtract},
    {"%PDF-", "a PDF document", "extract its text first"},
    {"GGUF", "a GGUF model", "give a text"},
    {"version https://git-lfs", "a git-lfs pointer", "fetch the file itself with `git lfs pull`"},
    {"\xff\xfe", "UTF-16 text", "convert it with `iconv -f UTF-16 -t UTF-8`"},
    {"\xfe\xff", "UTF-16 text", "convert it with `iconv -f UTF-16 -t UTF-8`"},
    {"<!DOCTYPE html", "an HTML page", "give its text"},
}};

// The first complete lines; a last one that the head cuts off only when it is the only one.
struct Lines {
  std::vector<std::string_view> all;  // not empty ones
  bool first_is_cut = false;
};

Lines SplitLines(std::string_view head, bool whole) {
  Lines lines;
  while (!head.empty()) {
    const size_t end = head.find('\n');
    const bool cut = end == std::string_view::npos && !whole;
    std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(line.size() + 1, head.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    if (line.empty()) continue;
    if (cut && !lines.all.empty()) break;
    lines.first_is_cut = cut;
    lines.all.push_back(line);
  }
  return lines;
}

bool IsIdList(std::string_view line, bool cut) {
  if (!line.starts_with('[')) return false;
  if (!cut && !line.ends_with(']')) return false;
  return line.find_first_not_of("[]0123456789, \t") == std::string_view::npos &&
         line.find_first_of("0123456789") != std::string_view::npos;
}

bool HasText(const json& document) {
  const auto is_string = [&](const char* field) { return document.contains(field) && document[field].is_string(); };
  return is_string("text") || is_string("content") || (is_string("prompt") && is_string("completion")) ||
         (document.contains("messages") && document["messages"].is_array());
}

// What lines are that begin with '{'; nothing where they are no JSON at all (a text may begin so).
std::optional<absl::StatusOr<Kind>> RecognizeObjects(std::string_view name, const Lines& lines) {
  if (lines.first_is_cut) {
    for (const std::string_view field : {"\"text\"", "\"content\"", "\"messages\"", "\"prompt\""}) {
      if (lines.all[0].find(field) != std::string_view::npos) return v1::Data::DOCUMENTS_JSONL;
    }
    return std::nullopt;
  }
  int number = 0;
  for (const std::string_view line : lines.all) {
    ++number;
    const json document = json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
    if (document.is_object() && HasText(document)) continue;
    if (document.is_object()) {
      return DataIsJsonError(name, "is JSON lines, but line " + std::to_string(number) + " has no field of text");
    }
    if (number > 1)
      return DataIsJsonError(name, "begins as JSON lines, but line " + std::to_string(number) + " is none");
    return std::nullopt;
  }
  return v1::Data::DOCUMENTS_JSONL;
}

bool IsTable(const Lines& lines, char separator) {
  if (lines.all.size() < kTableLines) return false;
  const auto count = [&](std::string_view line) { return std::count(line.begin(), line.end(), separator); };
  const auto first = count(lines.all.front());
  return first >= kTableSeparators &&
         std::all_of(lines.all.begin(), lines.all.end(), [&](std::string_view line) { return count(line) == first; });
}

absl::StatusOr<Kind> RecognizeLines(std::string_view name, std::string_view text, bool whole) {
  const Lines lines = SplitLines(text, whole);
  const bool json_lines = name.ends_with(".jsonl") || name.ends_with(".ndjson");
  if (lines.all.empty()) return v1::Data::TEXT;  // an empty file is refused elsewhere
  const std::string_view first = lines.all.front();
  if (IsIdList(first, lines.first_is_cut)) return v1::Data::TOKEN_IDS_JSONL;
  if (first.starts_with('{')) {
    if (auto kind = RecognizeObjects(name, lines)) return *std::move(kind);
  }
  const json document = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  const bool bracket = first == "{" || first == "[" || first.starts_with("[{");
  if (name.ends_with(".json") || (bracket && (!whole || document.is_structured()))) {
    return DataIsJsonError(name, "is one JSON document");
  }
  if (json_lines) return DataIsJsonError(name, "is named as JSON lines, but its first line is none");
  if (name.ends_with(".csv")) return DataIsTableError(name, "a table of comma-separated values");
  if (name.ends_with(".tsv")) return DataIsTableError(name, "a table of tab-separated values");
  if (IsTable(lines, '\t')) return DataIsTableError(name, "a table of tab-separated values");
  if (IsTable(lines, ',')) return DataIsTableError(name, "a table of comma-separated values");
  return v1::Data::TEXT;
}

}  // namespace

absl::StatusOr<Kind> RecognizeData(std::string_view name, std::string_view head) {
  const bool whole = head.size() < static_cast<size_t>(kDataHeadBytes);
  for (const Signature& signature : kSignatures) {
    if (head.starts_with(signature.bytes)) return DataNotTextError(name, signature.what, signature.remedy);
  }
  head = WithoutByteOrderMark(head);
  if (head.find('\0') != std::string_view::npos) return DataNotTextError(name, "binary data", "give UTF-8 text");
  const size_t valid = ValidUtf8Prefix(head);
  constexpr size_t kLongestCharacter = 4;
  if (valid < head.size() && (whole || head.size() - valid >= kLongestCharacter)) {
    return DataNotUtf8Error(name, static_cast<int64_t>(valid));
  }
  return RecognizeLines(name, head.substr(0, valid), whole);
}

std::string DataKindName(Kind kind) {
  switch (kind) {
    case v1::Data::TEXT:
      return "text";
    case v1::Data::DOCUMENTS_JSONL:
      return "documents";
    case v1::Data::TOKEN_IDS_JSONL:
      return "ids";
    default:
      return "";
  }
}

Kind ParseDataKind(std::string_view word) {
  for (const Kind kind : {v1::Data::TEXT, v1::Data::DOCUMENTS_JSONL, v1::Data::TOKEN_IDS_JSONL}) {
    if (word == DataKindName(kind)) return kind;
  }
  return v1::Data::KIND_UNSPECIFIED;
}

}  // namespace bitwright
