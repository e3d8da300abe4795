#include "client/api/model_dir.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>

#include "client/api/client_errors.h"
#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "proto/inputs/import_form.h"
#include "proto/inputs/model_folder.h"
#include "proto/inputs/model_refusals.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

// A folder of more entries is somebody's home, not a model.
constexpr size_t kMostEntries = 100'000;

// By path, as the folder names it: never as a link's target is named.
using Sizes = std::map<std::string, int64_t>;
constexpr int64_t kBrokenLink = -1;  // in place of a size: the link leads to no file

absl::StatusOr<Sizes> ListFiles(const std::string& dir) {
  std::error_code error;
  Sizes sizes;
  size_t entries = 0;
  fs::recursive_directory_iterator it(dir, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (++entries > kMostEntries) {
      return ModelDirInvalidError(dir, "it holds more than " + std::to_string(kMostEntries) + " files",
                                  "give the model's own folder");
    }
    std::error_code unknown;
    if (it->path().filename().native().starts_with('.')) {
      if (it->is_directory(unknown)) it.disable_recursion_pending();
      continue;
    }
    const std::string path = it->path().lexically_relative(dir).generic_string();
    if (it->is_regular_file(unknown)) {
      const uintmax_t size = it->file_size(unknown);
      sizes[path] = unknown ? 0 : static_cast<int64_t>(size);
    } else if (it->is_symlink(unknown)) {
      sizes[path] = kBrokenLink;
    }
  }
  if (error) return FileUnreadableError(dir, error.value());
  return sizes;
}

ModelFolder AsFolder(const std::string& dir, const Sizes& sizes) {
  ModelFolder folder;
  for (const auto& [path, size] : sizes) folder.paths.push_back(path);
  folder.read = [dir](const std::string& path, int64_t most) -> absl::StatusOr<std::string> {
    ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open((fs::path(dir) / path).string(), kFileErrors));
    return file.Head(most);
  };
  return folder;
}

absl::Status CheckLink(const std::string& dir, const std::string& path, const Sizes& sizes) {
  const auto found = sizes.find(path);
  if (found == sizes.end() || found->second != kBrokenLink) return absl::OkStatus();
  std::error_code error;
  const fs::path link = fs::path(dir) / path;
  const std::string target = fs::read_symlink(link, error).string();
  return ModelLinkBrokenError(link.string(), target, fs::is_directory(link, error));
}

// A single file in place of the folder: what it is, where that can be told.
absl::Status RefuseFile(const std::string& path) {
  const fs::path file(path);
  const std::string parent = file.has_parent_path() ? file.parent_path().string() : ".";
  const absl::Status known = CheckModelFolder(AsFolder(parent, {{file.filename().string(), 0}}));
  const bool says_more = !known.ok() && !file.filename().string().ends_with(".safetensors") &&
                         known.message().find("config.json") == absl::string_view::npos;
  return says_more ? known : ModelDirInvalidError(path, "it is not a folder", "give the folder, not a file");
}

absl::Status CheckPath(const std::string& path) {
  ABSL_RETURN_IF_ERROR(CheckManifestPath(path));
  return ValidUtf8Prefix(path) == path.size() ? absl::OkStatus() : ModelPathNotUtf8Error(path);
}

// A GGUF that was named, of several perhaps: it and the other parts that it was split into.
absl::StatusOr<ModelDir> ScanGguf(const fs::path& file) {
  const std::string parent = file.has_parent_path() ? file.parent_path().string() : ".";
  Sizes sizes;
  for (const std::string& part : SplitNames(file.filename().string())) {
    std::error_code error;
    const uintmax_t size = fs::file_size(fs::path(parent) / part, error);
    if (!error) sizes[part] = static_cast<int64_t>(size);
  }
  ABSL_RETURN_IF_ERROR(CheckModelFolder(AsFolder(parent, sizes)));
  ModelDir model{file.string(), {}, {}};
  for (const auto& [path, size] : sizes) {
    ABSL_RETURN_IF_ERROR(CheckPath(path));
    model.files.push_back({path, (fs::path(parent) / path).string(), size});
  }
  return model;
}

}  // namespace

int64_t ModelDir::size_bytes() const {
  int64_t sum = 0;
  for (const ModelFile& file : files) sum += file.size_bytes;
  return sum;
}

int64_t ModelDir::ignored_bytes() const {
  int64_t sum = 0;
  for (const IgnoredFile& file : ignored) sum += file.size_bytes;
  return sum;
}

bool ModelDir::Has(const std::string& file) const {
  return std::any_of(files.begin(), files.end(), [&](const ModelFile& one) { return one.path == file; });
}

absl::StatusOr<ModelDir> ScanModelDir(const std::string& dir) {
  std::error_code error;
  if (!fs::exists(dir, error)) return FileUnreadableError(dir, ENOENT);
  if (!fs::is_directory(dir, error)) {
    if (dir.ends_with(".gguf")) return ScanGguf(dir);
    return RefuseFile(dir);
  }
  ABSL_ASSIGN_OR_RETURN(const Sizes sizes, ListFiles(dir));
  const ModelFolder folder = AsFolder(dir, sizes);
  // What the others are sorted by.
  for (const char* path : {"config.json", "model.safetensors.index.json"}) {
    ABSL_RETURN_IF_ERROR(CheckLink(dir, path, sizes));
  }
  ABSL_RETURN_IF_ERROR(CheckModelFolder(folder));
  ABSL_ASSIGN_OR_RETURN(const auto sorted, SortModelFiles(folder));

  ModelDir model{dir, {}, {}};
  for (const SortedFile& file : sorted) {
    const auto size = sizes.find(file.path);
    if (size == sizes.end()) continue;
    if (file.part == FilePart::kIgnored && size->second == kBrokenLink) continue;
    if (file.part == FilePart::kIgnored) {
      model.ignored.push_back({file.path, size->second, file.why});
      continue;
    }
    ABSL_RETURN_IF_ERROR(CheckPath(file.path));
    ABSL_RETURN_IF_ERROR(CheckLink(dir, file.path, sizes));
    model.files.push_back({file.path, (fs::path(dir) / file.path).string(), size->second});
  }
  if (model.files.size() > limits::kMaxManifestFiles) {
    return ModelDirInvalidError(dir, "the model has more than " + std::to_string(limits::kMaxManifestFiles) + " files",
                                "merge its shards");
  }
  return model;
}

}  // namespace bitwright::client
