#include <sys/stat.h>

#include <filesystem>

#include "workers/agent/agent_errors.h"
#include "workers/agent/input_source.h"

namespace bitwright::worker {
namespace {

class Local : public InputSource {
 public:
  explicit Local(const std::string& dir) : dir_(std::filesystem::absolute(dir).string()) {}

  absl::StatusOr<std::string> Path(const BlobDigest& digest, StopSignal&) override {
    std::string path = dir_ + "/" + digest.sha256.substr(0, 2) + "/" + digest.sha256;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0 || info.st_size != digest.size_bytes) {
      return InputMissing(digest.sha256, dir_);
    }
    return path;
  }

  void ReleaseAll() override {}

 private:
  const std::string dir_;
};

}  // namespace

std::unique_ptr<InputSource> LocalBlobs(const std::string& dir) { return std::make_unique<Local>(dir); }

}  // namespace bitwright::worker
