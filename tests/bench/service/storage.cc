#include "tests/bench/service/storage.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include "proto/base/files.h"
#include "proto/base/log.h"
#include "proto/base/owned_fd.h"
#include "tests/bench/service/pace.h"
#include "tests/bench/service/row.h"
#include "tests/bench/service/scenarios.h"

namespace bitwright::server {

double FsyncsPerSecond(const std::string& folder, double seconds) {
  const std::string path = folder + "/service-bench-fsync";
  const OwnedFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  CHECK(file.get() >= 0) << path << " cannot be made";
  const std::string page(4096, 'x');
  int done = 0;
  const double start = NowSeconds();
  while (NowSeconds() - start < seconds) {
    CHECK(WriteAll(file.get(), page) == 0 && ::fsync(file.get()) == 0) << path << " cannot be written";
    ++done;
  }
  const double taken = NowSeconds() - start;
  ::unlink(path.c_str());
  return done / taken;
}

bool IsInMemory(const std::string& folder) {
  struct statfs info {};
  return ::statfs(folder.c_str(), &info) == 0 && info.f_type == TMPFS_MAGIC;
}

void MeasureStorage(const BenchOptions& options) {
  Row("fsync").Value("4 KiB appends", FsyncsPerSecond(options.data_dir, std::min(options.seconds, 3.0)), "/s").Print();
}

}  // namespace bitwright::server
