#include "workers/checkpoint/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/base/checked.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/strict_json.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

struct Entry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  int64_t begin = 0;
  int64_t end = 0;
};

// A non-negative integer below 2^63, or −1.
int64_t Natural(const json& value) {
  if (!value.is_number_unsigned()) return -1;
  const uint64_t number = value.get<uint64_t>();
  return number <= static_cast<uint64_t>(INT64_MAX) ? static_cast<int64_t>(number) : -1;
}

absl::StatusOr<Entry> ParseEntry(std::string_view file, const std::string& name, const json& value) {
  if (!value.is_object()) return SafetensorsHeaderInvalidError(file, name, "is not an object");
  for (const auto& item : value.items()) {
    if (item.key() != "dtype" && item.key() != "shape" && item.key() != "data_offsets") {
      return SafetensorsHeaderInvalidError(file, name, "has the unknown field '" + item.key().substr(0, 64) + "'");
    }
  }
  if (value.size() != 3) return SafetensorsHeaderInvalidError(file, name, "lacks one of dtype, shape and data_offsets");
  const json& dtype = value["dtype"];
  const json& shape = value["shape"];
  const json& offsets = value["data_offsets"];
  if (!dtype.is_string()) return SafetensorsHeaderInvalidError(file, name, "has a dtype that is not a string");
  if (!shape.is_array()) return SafetensorsHeaderInvalidError(file, name, "has a shape that is not an array");
  if (!offsets.is_array() || offsets.size() != 2)
    return SafetensorsHeaderInvalidError(file, name, "needs two data_offsets");

  Entry entry;
  entry.name = name;
  const auto type = ParseDType(dtype.get_ref<const std::string&>());
  if (!type) return TensorTypeUnknownError(file, name, dtype.get_ref<const std::string&>());
  entry.dtype = *type;
  std::optional<int64_t> bytes = ByteSize(*type);
  for (const json& dimension : shape) {
    const int64_t d = Natural(dimension);
    if (d < 0)
      return SafetensorsHeaderInvalidError(file, name,
                                           "has a shape with an element that is not a natural number below 2^63");
    entry.shape.push_back(d);
    bytes = bytes ? CheckedMul(*bytes, d) : std::nullopt;
  }
  if (!bytes) return TensorShapeOverflowError(file, name, ShapeText(entry.shape));
  entry.begin = Natural(offsets[0]);
  entry.end = Natural(offsets[1]);
  if (entry.begin < 0 || entry.end < entry.begin) {
    return SafetensorsHeaderInvalidError(file, name, "has data_offsets that are not natural numbers in rising order");
  }
  if (entry.end - entry.begin != *bytes) {
    return TensorRangeMismatchError(file, name, entry.end - entry.begin, *bytes);
  }
  return entry;
}

absl::Status CheckCover(std::string_view file, std::vector<Entry>& entries, int64_t available) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  int64_t covered = 0;
  const Entry* last = nullptr;
  for (const Entry& entry : entries) {
    if (entry.end > available) return TensorPastEndError(file, entry.name, entry.end, available);
    if (entry.begin < covered) return TensorsOverlapError(file, entry.name, last->name, entry.begin);
    if (entry.begin > covered) return TensorsHoleError(file, entry.name, covered, entry.begin);
    covered = entry.end;
    last = &entry;
  }
  if (covered != available) return SafetensorsTrailingBytesError(file, covered, available);
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, std::string>> ParseMetadata(std::string_view file, const json& value) {
  if (!value.is_object()) return SafetensorsHeaderInvalidError(file, "__metadata__", "is not an object");
  std::map<std::string, std::string> metadata;
  for (const auto& item : value.items()) {
    if (!item.value().is_string())
      return SafetensorsHeaderInvalidError(file, "__metadata__", "holds a value that is not a string");
    metadata.emplace(item.key(), item.value().get<std::string>());
  }
  return metadata;
}

absl::StatusOr<int64_t> HeaderSize(std::string_view file, const MappedFile& mapped) {
  static_assert(std::endian::native == std::endian::little);
  const auto bytes = mapped.bytes();
  const int64_t size = static_cast<int64_t>(bytes.size());
  if (size < 8) return SafetensorsTruncatedError(file, size, 8);
  if (!mapped.Holds(bytes.first(8))) return BytesNotGivenError(file, "its header");
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  if (header > static_cast<uint64_t>(SafetensorsFile::kMaxHeaderBytes)) {
    return SafetensorsHeaderTooLargeError(file, header, SafetensorsFile::kMaxHeaderBytes);
  }
  const int64_t needed = 8 + static_cast<int64_t>(header);
  if (needed > size) return SafetensorsTruncatedError(file, size, needed);
  if (!mapped.Holds(bytes.first(static_cast<size_t>(needed)))) return BytesNotGivenError(file, "its header");
  return static_cast<int64_t>(header);
}

}  // namespace

absl::StatusOr<SafetensorsFile> SafetensorsFile::Open(const ModelFile& file, std::string_view shown_name) {
  SafetensorsFile opened;
  ABSL_ASSIGN_OR_RETURN(opened.file_, file.Map());
  const auto bytes = opened.file_->bytes();
  ABSL_ASSIGN_OR_RETURN(const int64_t header_size, HeaderSize(shown_name, *opened.file_));
  opened.header_bytes_ = 8 + static_cast<size_t>(header_size);
  const std::string_view text = opened.file_->text().substr(8, static_cast<size_t>(header_size));
  if (!text.starts_with('{')) return JsonInvalidError(shown_name, "the header does not begin with '{'");
  ABSL_ASSIGN_OR_RETURN(const json header, ParseStrictJson(text, shown_name, /*max_depth=*/4));
  const auto data = bytes.subspan(opened.header_bytes_);

  std::vector<Entry> entries;
  for (const auto& item : header.items()) {
    if (item.key() == "__metadata__") {
      ABSL_ASSIGN_OR_RETURN(opened.metadata_, ParseMetadata(shown_name, item.value()));
      continue;
    }
    ABSL_ASSIGN_OR_RETURN(Entry entry, ParseEntry(shown_name, item.key(), item.value()));
    entries.push_back(std::move(entry));
  }
  ABSL_RETURN_IF_ERROR(CheckCover(shown_name, entries, static_cast<int64_t>(data.size())));
  for (Entry& entry : entries) {
    const auto range = data.subspan(static_cast<size_t>(entry.begin), static_cast<size_t>(entry.end - entry.begin));
    opened.tensors_.emplace(std::move(entry.name), TensorView{entry.dtype, std::move(entry.shape), range});
  }
  return opened;
}

absl::StatusOr<TensorView> SafetensorsFile::Find(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return TensorMissingError(name, "is needed here");
  return found->second;
}

std::string SafetensorsHeader(const std::vector<TensorDeclaration>& tensors,
                              const std::map<std::string, std::string>& metadata) {
  std::string text = "{";
  if (!metadata.empty()) text += "\"__metadata__\":" + json(metadata).dump();
  int64_t at = 0;
  for (const TensorDeclaration& tensor : tensors) {
    const int64_t bytes = tensor.bytes();
    if (text.size() > 1) text += ',';
    text += json(tensor.name).dump() + ":{\"dtype\":\"" + std::string(DTypeName(tensor.dtype)) +
            "\",\"shape\":" + json(tensor.shape).dump() + ",\"data_offsets\":[" + std::to_string(at) + "," +
            std::to_string(at + bytes) + "]}";
    at += bytes;
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t size = text.size();
  std::string header(8, '\0');
  std::memcpy(header.data(), &size, 8);
  return header + text;
}

absl::StatusOr<SafetensorsWriter> SafetensorsWriter::Create(const std::string& path,
                                                            std::vector<TensorDeclaration> tensors,
                                                            const std::map<std::string, std::string>& metadata) {
  ABSL_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::Create(path));
  ABSL_RETURN_IF_ERROR(writer.Append(SafetensorsHeader(tensors, metadata)));
  return SafetensorsWriter(std::move(writer), std::move(tensors));
}

void SafetensorsWriter::Next(size_t size) {
  CHECK(next_ < tensors_.size() && some_ == 0) << "more data than declared tensors";
  const TensorDeclaration& tensor = tensors_[next_++];
  CHECK(tensor.bytes() == static_cast<int64_t>(size)) << tensor.name << ": " << size << " bytes for " << tensor.bytes();
}

absl::Status SafetensorsWriter::Append(const void* data, size_t size) {
  Next(size);
  return writer_.Append(data, size);
}

absl::Status SafetensorsWriter::Append(std::span<const std::byte> data,
                                       const std::function<void(std::span<const std::byte>)>& written) {
  Next(data.size());
  absl::Status status;
  ForMappedParts(data, [&](std::span<const std::byte> part) {
    if (status.ok()) status = writer_.Append(part.data(), part.size());
    if (status.ok()) written(part);
  });
  return status;
}

absl::Status SafetensorsWriter::AppendSome(std::span<const std::byte> data) {
  if (data.empty()) return absl::OkStatus();
  while (next_ < tensors_.size() && tensors_[next_].bytes() == 0) ++next_;
  CHECK(next_ < tensors_.size()) << "more data than declared tensors";
  some_ += static_cast<int64_t>(data.size());
  const int64_t bytes = tensors_[next_].bytes();
  CHECK(some_ <= bytes) << tensors_[next_].name << ": " << some_ << " bytes for " << bytes;
  if (some_ == bytes) {
    some_ = 0;
    ++next_;
  }
  return writer_.Append(data.data(), data.size());
}

absl::Status SafetensorsWriter::Close() {
  while (next_ < tensors_.size() && tensors_[next_].bytes() == 0) ++next_;
  CHECK(next_ == tensors_.size()) << "tensor " << tensors_[next_].name << " was not written";
  return writer_.Close();
}

}  // namespace bitwright::worker
