#include "bitwright/v1/models.pb.h"
#include "proto/base/status_macros.h"
#include "proto/inputs/import_form.h"
#include "proto/inputs/model_refusals.h"
#include "workers/checkpoint/folder_files.h"
#include "workers/import/float8_model.h"
#include "workers/import/gguf_model.h"
#include "workers/import/plain_weights.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/manifest_writer.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<PlainModel> ReadModel(const ModelFiles& files, const v1::Import& import) {
  switch (import.form()) {
    case v1::Import::FP8:
    case v1::Import::FLOAT_QUANTIZED:
      return ReadFloat8Model(files, import.form());
    case v1::Import::GGUF:
      return ReadGgufModel(files);
    default:
      return NothingToImportError();
  }
}

}  // namespace

absl::Status RunImport(const v1::ImportParams&, TaskIo& io) {
  const ModelFiles files = io.Files();
  const ModelFolder folder = FolderOf(files);
  ABSL_RETURN_IF_ERROR(CheckModelFolder(folder));
  const std::optional<v1::Import> import = ImportFormOf(folder);
  if (!import) return NothingToImportError();
  ABSL_ASSIGN_OR_RETURN(const PlainModel model, ReadModel(files, *import));
  ManifestWriter writer(io);
  for (const auto& [path, text] : model.texts) ABSL_RETURN_IF_ERROR(writer.Add(path, text));
  for (const auto& [path, file] : model.carried) {
    ABSL_ASSIGN_OR_RETURN(const auto mapped, file.Map());
    ABSL_RETURN_IF_ERROR(writer.Copy(path, *mapped));
  }
  ABSL_RETURN_IF_ERROR(WritePlainWeights(
      model.tensors, kShardBytes, [&](const std::string& path) { return writer.NewFile(path); },
      [&](const std::string& path) { return writer.Note(path); }, [&](double share) { io.Progress(share); }));
  return writer.Finish();
}

}  // namespace bitwright::worker
