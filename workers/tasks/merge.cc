#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {

absl::Status RunMerge(const v1::MergeParams&, TaskIo& io) {
  std::vector<StatisticsFile> shards;
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> paths, io.InputPaths(NumberedPrefix(TaskFile::kStatistics)));
  for (const std::string& path : paths) {
    ABSL_ASSIGN_OR_RETURN(StatisticsFile shard, StatisticsFile::Open(path));
    shards.push_back(std::move(shard));
  }
  if (shards.empty()) return TaskInputMissingError(Numbered(TaskFile::kStatistics, 0));
  return MergeStatistics(shards, io.NewOutput(TaskFile::kStatistics));
}

}  // namespace bitwright::worker
