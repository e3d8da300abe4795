#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/quantize/factor_file.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/recipe_options.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {

absl::Status RunMerge(const v1::MergeParams& params, TaskIo& io) {
  std::vector<StatisticsFile> shards;
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> paths, io.InputPaths(NumberedPrefix(TaskFile::kStatistics)));
  for (const std::string& path : paths) {
    ABSL_ASSIGN_OR_RETURN(StatisticsFile shard, StatisticsFile::Open(path));
    shards.push_back(std::move(shard));
  }
  if (shards.empty()) return TaskInputMissingError(Numbered(TaskFile::kStatistics, 0));
  ABSL_ASSIGN_OR_RETURN(const auto inputs, InputsOf(shards.front()));
  ABSL_ASSIGN_OR_RETURN(
      RoundingInputsWriter writer,
      RoundingInputsWriter::Create(io.NewOutput(TaskFile::kStatistics), inputs, FactoringOf(params), io.device()));
  ABSL_RETURN_IF_ERROR(
      MergeStatistics(shards, [&](InputStatistics merged) { return writer.Append(std::move(merged)); }));
  return writer.Close();
}

}  // namespace bitwright::worker
