#pragma once

#include <optional>
#include <string>

namespace bitwright {

// The folder of reference data: $BITWRIGHT_SHARED, else ../shared beside the checkout. Nothing when it is not there; a
// test then skips and says so:
//   const auto shared = SharedDir();
//   if (!shared) GTEST_SKIP() << kNoSharedData;
std::optional<std::string> SharedDir();
inline constexpr char kNoSharedData[] = "reference data not found: set BITWRIGHT_SHARED";

// A file of this checkout, by its path from the root.
std::string SourcePath(const std::string& relative);

// A new empty folder, removed with everything in it when the object goes.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace bitwright
