#include "server/web/text_choices.h"

#include <cerrno>
#include <set>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "proto/inputs/data_kind.h"
#include "proto/inputs/sample_name.h"
#include "proto/report/number_text.h"
#include "proto/transfer/blob_upload.h"
#include "proto/transfer/memory_file.h"
#include "server/web/page_text.h"
#include "server/web/routes.h"
#include "server/web/shipped_files.h"
#include "server/web/web_errors.h"

namespace bitwright::server {
namespace {

constexpr size_t kMostChoices = 20;

const google::protobuf::RepeatedPtrField<v1::Data>& TextsOf(const v1::JobSpec& spec, const std::string& use) {
  return use == kCalibration ? spec.calibration() : spec.evaluation();
}

absl::Status CannotRead(const std::string& path, int) { return FileUnwritableError(path, EIO); }
absl::Status Shrank(const std::string& path, int64_t) { return FileUnwritableError(path, EIO); }

absl::StatusOr<v1::Data> Upload(const Gateway& gateway, std::string_view name, std::string_view bytes) {
  v1::Data data;
  ABSL_ASSIGN_OR_RETURN(const v1::Data::Kind kind, RecognizeData(name, bytes.substr(0, kDataHeadBytes)));
  data.set_kind(kind);
  const std::string shown = Printable(name);
  data.set_display_name(std::string(CutUtf8(shown, limits::kMaxDisplayNameBytes)));
  const BlobDigest digest = DigestOf(bytes);
  *data.mutable_blob() = ToProto(digest);
  ABSL_ASSIGN_OR_RETURN(const auto held, MemoryFile::Make(bytes, FileUnwritableError));
  ABSL_ASSIGN_OR_RETURN(const LocalFile file,
                        LocalFile::Open(held->path(), {.unreadable = CannotRead, .shrank = Shrank}));
  ABSL_RETURN_IF_ERROR(UploadBlob(gateway.transfers(), file, digest));
  return data;
}

// "{job}.{index}", as TextChoices makes it.
absl::StatusOr<v1::Data> OfEarlierJob(const Gateway& gateway, const std::string& choice, const std::string& use) {
  const std::vector<std::string> parts = absl::StrSplit(choice, '.');
  int index = -1;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[1], &index) || index < 0) return TextMissingError(use);
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, gateway.GetJob(ResourceName(Collection::kJobs, parts[0])));
  const auto& texts = TextsOf(job.spec(), use);
  if (index >= texts.size()) return TextMissingError(use);
  return texts[index];
}

}  // namespace

View::Items TextChoices(std::span<const v1::Job> jobs, const std::string& use, const std::string& chosen) {
  View::Items choices;
  std::set<std::string> seen;
  for (const v1::Job& job : jobs) {
    const auto& texts = TextsOf(job.spec(), use);
    for (int i = 0; i < texts.size() && choices.size() < kMostChoices; ++i) {
      const v1::Data& text = texts[i];
      if (!seen.insert(text.SerializeAsString()).second) continue;
      const std::string value = absl::StrCat(IdOf(job.name()), ".", i);
      const std::string name = text.display_name().empty() ? "unnamed text" : text.display_name();
      choices.push_back(View()
                            .Text("value", value)
                            .Text("text", absl::StrCat(name, ", ", BytesText(text.blob().size_bytes())))
                            .If("chosen", value == chosen));
    }
  }
  if (use == kCalibration) {
    choices.push_back(View()
                          .Text("value", std::string(kSampleWord))
                          .Text("text", std::string(kSampleName))
                          .If("chosen", chosen == kSampleWord));
  }
  return choices;
}

absl::StatusOr<v1::Data> TextOf(const Gateway& gateway, const HttpForm& form, const std::string& use) {
  for (const HttpForm::File& file : form.files) {
    if (file.field != use + "_file" || file.bytes.empty()) continue;
    if (static_cast<int64_t>(file.bytes.size()) > kMaxTextBytes) return TextTooLargeError(file.name, kMaxTextBytes);
    return Upload(gateway, file.name, file.bytes);
  }
  const std::string choice = form.Field(use);
  if (choice == kSampleWord && use == kCalibration) return Upload(gateway, kSampleName, ShippedFile("mixed.txt"));
  return choice.empty() ? TextMissingError(use) : OfEarlierJob(gateway, choice, use);
}

}  // namespace bitwright::server
