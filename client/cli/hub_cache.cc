#include "client/cli/hub_cache.h"

#include <algorithm>
#include <filesystem>

#include "client/api/client_errors.h"
#include "proto/base/files.h"
#include "proto/contract/names.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

// Of a repository's folder: "models--org--name".
constexpr std::string_view kModelsPrefix = "models--";
constexpr std::string_view kBetween = "--";

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool IsPart(std::string_view part) {
  return !part.empty() && part.front() != '.' && std::all_of(part.begin(), part.end(), IsNameChar);
}

// The snapshot that a person would get by downloading now, as far as this machine knows.
std::optional<fs::path> Snapshot(const fs::path& repository) {
  std::error_code unknown;
  const fs::path snapshots = repository / "snapshots";
  if (auto main = ReadWholeFile((repository / "refs/main").string(), FileUnreadableError); main.ok()) {
    main->erase(main->find_last_not_of(" \r\n") + 1);
    if (IsPart(*main) && fs::is_directory(snapshots / *main, unknown)) return snapshots / *main;
  }
  std::optional<fs::path> only;
  for (const auto& entry : fs::directory_iterator(snapshots, unknown)) {
    if (only.has_value()) return std::nullopt;
    only = entry.path();
  }
  return only;
}

}  // namespace

bool IsHubName(std::string_view word) {
  const size_t slash = word.find('/');
  return slash != std::string_view::npos && IsPart(word.substr(0, slash)) && IsPart(word.substr(slash + 1)) &&
         !word.starts_with(Collection::kModels + std::string("/"));
}

std::optional<std::string> FindInHubCaches(std::span<const std::string> caches, std::string_view name) {
  if (!IsHubName(name)) return std::nullopt;
  const size_t slash = name.find('/');
  const std::string folder = std::string(kModelsPrefix) + std::string(name.substr(0, slash)) + std::string(kBetween) +
                             std::string(name.substr(slash + 1));
  for (const std::string& cache : caches) {
    if (const auto snapshot = Snapshot(fs::path(cache) / folder)) return snapshot->string();
  }
  return std::nullopt;
}

std::optional<std::string> HubNameOf(std::string_view folder) {
  std::error_code ignored;
  fs::path path = fs::absolute(folder, ignored).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (path.parent_path().filename() != "snapshots") return std::nullopt;
  const std::string repository = path.parent_path().parent_path().filename().string();
  if (!repository.starts_with(kModelsPrefix)) return std::nullopt;
  std::string name = repository.substr(kModelsPrefix.size());
  const size_t split = name.find(kBetween);
  if (split == std::string::npos) return std::nullopt;
  name.replace(split, kBetween.size(), "/");
  return IsHubName(name) ? std::optional(name) : std::nullopt;
}

}  // namespace bitwright::client
