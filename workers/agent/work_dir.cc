#include "workers/agent/work_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/reasons.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {
namespace {

absl::Status MakeDirs(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  return error ? FileFailedError(path, "created", error.value()) : absl::OkStatus();
}

// Among temporary files somebody else may have made a folder of that name first, and could then change what is in it.
absl::Status MakePrivateDir(const std::string& path) {
  ABSL_RETURN_IF_ERROR(MakeDirs(std::filesystem::path(path).parent_path().string()));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return FileFailedError(path, "created", errno);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return FileFailedError(path, "looked at", errno);
  constexpr mode_t kWritableByOthers = 022;
  const bool own = S_ISDIR(info.st_mode) && info.st_uid == ::geteuid() && (info.st_mode & kWritableByOthers) == 0;
  return own ? absl::OkStatus() : FileFailedError(path, "used, since others may write there", EPERM);
}

// Links in a folder, by their names.
class InputLinks {
 public:
  explicit InputLinks(std::string dir) : dir_(std::move(dir)) {}

  bool Has(const std::string& name) const { return linked_.contains(name); }
  absl::Status Add(const std::string& name, const std::string& target) {
    linked_.insert(name);
    const std::string link = dir_ + "/" + name;
    if (::link(target.c_str(), link.c_str()) == 0) return absl::OkStatus();
    // Another file system, or one that has no such links, or too many of them.
    if (::symlink(target.c_str(), link.c_str()) != 0) return FileFailedError(link, "linked", errno);
    elsewhere_.insert(target);
    return absl::OkStatus();
  }
  std::vector<std::string> Elsewhere() const { return {elsewhere_.begin(), elsewhere_.end()}; }

 private:
  const std::string dir_;
  std::set<std::string> linked_;
  std::set<std::string> elsewhere_;
};

}  // namespace

absl::StatusOr<WorkDir> WorkDir::Open(const std::string& path) {
  const std::string absolute = std::filesystem::absolute(path).string();
  ABSL_RETURN_IF_ERROR(MakeDirs(absolute));
  const std::string lock_path = absolute + "/lock";
  OwnedFd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.get() < 0) return FileFailedError(lock_path, "opened", errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return WorkDirInUseError(absolute);
  std::error_code error;
  std::filesystem::remove_all(absolute + "/tasks", error);
  if (error) return FileFailedError(absolute + "/tasks", "removed", error.value());
  return WorkDir(absolute, std::move(lock));
}

absl::StatusOr<WorkDir> WorkDir::OpenFree(const std::string& root) {
  ABSL_RETURN_IF_ERROR(MakePrivateDir(root));
  constexpr int kMostWorkers = 1000;
  for (int i = 0; i < kMostWorkers; ++i) {
    absl::StatusOr<WorkDir> opened = Open(root + "/" + std::to_string(i));
    if (opened.ok() || ErrorReason(opened.status()) != Reason::kWorkDirInUse) return opened;
  }
  return WorkDirInUseError(root);
}

absl::StatusOr<LaneDirs> WorkDir::NewLane(const std::string& name) {
  const std::string root = path_ + "/tasks/" + name;
  const LaneDirs lane = {root + "/in", root + "/out"};
  ABSL_RETURN_IF_ERROR(MakeDirs(lane.inputs));
  ABSL_RETURN_IF_ERROR(MakeDirs(lane.outputs));
  return lane;
}

absl::StatusOr<TaskDirs> WorkDir::NewTask(const LaneDirs& lane) {
  const std::string number = "/" + std::to_string(next_->fetch_add(1));
  const TaskDirs dirs = {lane.inputs + number, lane.outputs + number};
  ABSL_RETURN_IF_ERROR(MakeDirs(dirs.inputs));
  ABSL_RETURN_IF_ERROR(MakeDirs(dirs.outputs));
  return dirs;
}

void WorkDir::Remove(const TaskDirs& dirs) {
  std::error_code ignored;  // what stays is removed at the next start
  std::filesystem::remove_all(dirs.inputs, ignored);
  std::filesystem::remove_all(dirs.outputs, ignored);
}

absl::StatusOr<std::vector<std::string>> LinkInputs(const v1::TaskSpec& spec, const TaskDirs& dirs, InputSource& source,
                                                    const CancelToken& cancel) {
  InputLinks links(dirs.inputs);
  for (const auto& input : spec.inputs()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(input.digest()));
    if (input.pieces().empty() && !links.Has(digest.sha256)) {
      ABSL_ASSIGN_OR_RETURN(const std::string target, source.Path(digest, cancel));
      ABSL_RETURN_IF_ERROR(links.Add(digest.sha256, target));
    }
    for (const v1::FilePiece& piece : input.pieces()) {
      ABSL_ASSIGN_OR_RETURN(const BlobDigest bytes, FromProto(piece.digest()));
      if (links.Has(digest.sha256)) break;
      if (links.Has(bytes.sha256)) continue;
      ABSL_ASSIGN_OR_RETURN(const InputSource::PartFile file,
                            source.PathOfPart({digest, piece.offset(), bytes}, cancel));
      ABSL_RETURN_IF_ERROR(links.Add(file.whole ? digest.sha256 : bytes.sha256, file.path));
    }
  }
  return links.Elsewhere();
}

}  // namespace bitwright::worker
