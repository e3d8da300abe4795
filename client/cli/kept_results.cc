#include "client/cli/kept_results.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "client/api/client_errors.h"
#include "proto/base/files.h"
#include "proto/base/message_bytes.h"
#include "proto/base/random_id.h"
#include "proto/contract/digest.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

std::optional<KeptResult> Read(const std::string& file) {
  const auto text = ReadWholeFile(file, FileUnreadableError);
  if (!text.ok()) return std::nullopt;
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  const auto is_text = [&](const char* field) { return json.contains(field) && json[field].is_string(); };
  if (!json.is_object() || !is_text("job") || !is_text("data_dir")) return std::nullopt;
  return KeptResult{json["job"], json["data_dir"], json.contains("owned") && json["owned"] == true};
}

}  // namespace

KeptResults::KeptResults(const std::string& state_dir)
    : folder_(state_dir.empty() ? "" : state_dir + "/bitwright/results") {}

std::string KeptResults::KeyOf(const v1::Manifest& model, const v1::JobSpec& spec) {
  v1::JobSpec named = spec;
  named.clear_model();  // a name that each service chooses
  return Sha256Hex(DeterministicBytes(model) + "\n" + DeterministicBytes(named));
}

bool KeptResults::any() const {
  std::error_code none;
  return !folder_.empty() && fs::is_directory(folder_, none) && !fs::is_empty(folder_, none);
}

std::optional<KeptResult> KeptResults::Find(const std::string& key) const {
  if (folder_.empty()) return std::nullopt;
  auto kept = Read(FileOf(key));
  std::error_code gone;
  if (!kept || fs::is_directory(kept->data_dir, gone)) return kept;
  fs::remove(FileOf(key), gone);
  return std::nullopt;
}

bool KeptResults::Keep(const std::string& key, const KeptResult& result) const {
  if (folder_.empty()) return false;
  std::error_code error;
  fs::create_directories(folder_, error);
  const nlohmann::ordered_json json = {{"job", result.job}, {"data_dir", result.data_dir}, {"owned", result.owned}};
  const std::string text = json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return WriteWholeFile(FileOf(key), text, FileUnwritableError).ok();
}

void KeptResults::Drop(const std::string& key, const KeptResult& result) const {
  std::error_code ignored;
  fs::remove(FileOf(key), ignored);
  if (!result.owned) return;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const auto other = Read(entry.path().string());
    if (other && other->data_dir == result.data_dir) return;
  }
  fs::remove_all(result.data_dir, ignored);
  // What a data folder within a private one leaves.
  const fs::path parent = fs::path(result.data_dir).parent_path();
  if (parent.filename().string().starts_with("bitwright-")) fs::remove(parent, ignored);
}

std::string KeptResults::PlaceForData() const { return folder_.empty() ? "" : folder_ + "/data-" + RandomId(); }

}  // namespace bitwright::client
