#include "tests/support/fixtures.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "proto/base/log.h"

namespace bitwright {

std::optional<std::string> SharedDir() {
  const char* set = std::getenv("BITWRIGHT_SHARED");
  const std::string path = set != nullptr ? set : std::string(BITWRIGHT_SOURCE_DIR) + "/../shared";
  if (!std::filesystem::is_directory(path + "/fixtures")) return std::nullopt;
  return path;
}

std::string SourcePath(const std::string& relative) { return std::string(BITWRIGHT_SOURCE_DIR) + "/" + relative; }

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "bitwright-test-XXXXXX").string();
  CHECK(::mkdtemp(name.data()) != nullptr) << name;
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace bitwright
