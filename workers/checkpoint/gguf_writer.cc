#include "workers/checkpoint/gguf_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <set>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/checkpoint/gguf.h"
#include "workers/checkpoint/gguf_errors.h"

namespace bitwright::worker {
namespace {

int64_t AlignmentOf(std::span<const GgufSetting> settings) {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [](const GgufSetting& setting) { return setting.key == GgufFile::kAlignmentKey; });
  if (found == settings.end()) return GgufFile::kDefaultAlignment;
  uint32_t alignment = 0;
  CHECK(found->kind == GgufKind::kU32 && found->encoded.size() == sizeof alignment) << found->key;
  std::memcpy(&alignment, found->encoded.data(), sizeof alignment);
  CHECK(std::has_single_bit(alignment) && alignment >= GgufFile::kLeastAlignment) << found->key << ": " << alignment;
  return static_cast<int64_t>(alignment);
}

void AppendSettings(std::string& header, std::span<const GgufSetting> settings) {
  std::set<std::string_view> keys;
  for (const GgufSetting& setting : settings) {
    CHECK(!setting.key.empty() && setting.key.size() <= GgufMetadata::kMaxKeyBytes) << setting.key;
    CHECK(keys.insert(setting.key).second) << setting.key << " twice";
    AppendGgufText(header, setting.key);
    AppendGgufNumber(header, static_cast<uint32_t>(setting.kind));
    header += setting.encoded;
  }
}

void AppendDeclaration(std::string& header, const GgufDeclaration& tensor, int64_t offset) {
  AppendGgufText(header, tensor.name);
  AppendGgufNumber(header, static_cast<uint32_t>(tensor.shape.size()));
  for (auto d = tensor.shape.rbegin(); d != tensor.shape.rend(); ++d) AppendGgufNumber(header, *d);
  AppendGgufNumber(header, tensor.type.id);
  AppendGgufNumber(header, offset);
}

int64_t BytesOf(const GgufDeclaration& tensor) {
  CHECK(!tensor.name.empty() && !tensor.shape.empty() && tensor.shape.size() <= kMaxGgufDimensions) << tensor.name;
  CHECK(std::all_of(tensor.shape.begin(), tensor.shape.end(), [](int64_t d) { return d > 0; })) << tensor.name;
  CHECK(RowsAreWholeBlocks(tensor.type, tensor.shape)) << tensor.name << ": no rows of type " << tensor.type.name;
  const auto bytes = StoredBytes(tensor.type, tensor.shape);
  CHECK(bytes.has_value()) << tensor.name;
  return *bytes;
}

}  // namespace

absl::StatusOr<GgufPlan> PlanGguf(std::string_view shown_name, std::span<const GgufSetting> settings,
                                  std::span<const GgufDeclaration> tensors) {
  GgufPlan plan;
  plan.alignment = AlignmentOf(settings);
  plan.header = GgufFile::kMagic;
  AppendGgufNumber(plan.header, GgufFile::kVersion);
  AppendGgufNumber<uint64_t>(plan.header, tensors.size());
  AppendGgufNumber<uint64_t>(plan.header, settings.size());
  AppendSettings(plan.header, settings);
  std::set<std::string_view> names;
  int64_t data_bytes = 0;
  for (const GgufDeclaration& tensor : tensors) {
    if (tensor.name.size() > kMaxWrittenGgufNameBytes) {
      return GgufNameTooLongError(shown_name, tensor.name, kMaxWrittenGgufNameBytes);
    }
    CHECK(names.insert(tensor.name).second) << tensor.name << " twice";
    AppendDeclaration(plan.header, tensor, data_bytes);
    plan.tensor_bytes.push_back(BytesOf(tensor));
    data_bytes += GgufPadded(plan.tensor_bytes.back(), plan.alignment);
  }
  const int64_t header_bytes = static_cast<int64_t>(plan.header.size());
  plan.padding = static_cast<size_t>(GgufPadded(header_bytes, plan.alignment) - header_bytes);
  plan.header.append(plan.padding, '\0');
  plan.file_bytes = static_cast<int64_t>(plan.header.size()) + data_bytes;
  return plan;
}

absl::StatusOr<GgufWriter> GgufWriter::Create(const std::string& path, const GgufPlan& plan) {
  ABSL_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::Create(path));
  ABSL_RETURN_IF_ERROR(writer.Append(plan.header));
  return GgufWriter(std::move(writer), plan);
}

absl::Status GgufWriter::Append(std::span<const std::byte> data) {
  return Append(data, [](std::span<const std::byte>) {});
}

absl::Status GgufWriter::Append(std::span<const std::byte> data,
                                const std::function<void(std::span<const std::byte>)>& written) {
  CHECK(next_ < tensor_bytes_.size()) << "more data than declared tensors";
  CHECK(some_ == 0 && tensor_bytes_[next_] == static_cast<int64_t>(data.size()))
      << "tensor " << next_ << ": " << data.size() << " after " << some_ << " for " << tensor_bytes_[next_];
  return AppendSome(data, written);
}

absl::Status GgufWriter::AppendSome(std::span<const std::byte> data,
                                    const std::function<void(std::span<const std::byte>)>& written) {
  CHECK(next_ < tensor_bytes_.size()) << "more data than declared tensors";
  const int64_t bytes = tensor_bytes_[next_];
  some_ += static_cast<int64_t>(data.size());
  CHECK(some_ <= bytes) << "tensor " << next_ << ": " << some_ << " for " << bytes;
  absl::Status status;
  ForMappedParts(data, [&](std::span<const std::byte> part) {
    if (status.ok()) status = writer_.Append(part.data(), part.size());
    if (status.ok()) written(part);
  });
  ABSL_RETURN_IF_ERROR(status);
  if (some_ < bytes) return absl::OkStatus();
  some_ = 0;
  ++next_;
  return writer_.Append(std::string(static_cast<size_t>(GgufPadded(bytes, alignment_) - bytes), '\0'));
}

absl::Status GgufWriter::Close() {
  CHECK(next_ == tensor_bytes_.size()) << "tensor " << next_ << " was not written";
  return writer_.Close();
}

}  // namespace bitwright::worker
