#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/calibrate/second_moment.h"
#include "workers/checkpoint/safetensors.h"

namespace bitwright::worker {

// Statistics of units' inputs in a safetensors file, each under the name that UnitSpec::input gives it: "{name}/H" f32
// [n(n+1)/2] (packed upper triangle) and "{name}/rows" i64 [1]. Where H is factorized, its factor stands in its place
// (quantize/factor_file.h).
struct UnitStatistics {
  std::string unit;
  InputStatistics input;
};

// Declares all inputs, then takes their statistics one by one, in that order.
class StatisticsWriter {
 public:
  struct Input {
    std::string unit;
    int64_t columns = 0;
  };
  static absl::StatusOr<StatisticsWriter> Create(const std::string& path, const std::vector<Input>& inputs);
  absl::Status Append(const InputStatistics& input);
  absl::Status Close();  // all must have been appended

 private:
  explicit StatisticsWriter(SafetensorsWriter writer) : writer_(std::move(writer)) {}
  SafetensorsWriter writer_;
};

class StatisticsFile {
 public:
  // INVALID_ARGUMENT when the file is damaged.
  static absl::StatusOr<StatisticsFile> Open(const std::string& path);
  std::vector<std::string> units() const;  // in alphabetic order
  absl::StatusOr<InputStatistics> Read(const std::string& unit) const;
  absl::StatusOr<int64_t> Rows(const std::string& unit) const;     // of the same
  absl::StatusOr<int64_t> Columns(const std::string& unit) const;  // likewise
  const SafetensorsFile& file() const { return file_; }

 private:
  explicit StatisticsFile(SafetensorsFile file) : file_(std::move(file)) {}
  SafetensorsFile file_;
};

// The inputs whose H a file holds, in the order of its units.
absl::StatusOr<std::vector<StatisticsWriter::Input>> InputsOf(const StatisticsFile& file);

// The statistics of all shards together: H weighted by rows, summed in f64 in the order given. All shards hold the same
// units; `done` gets them in the order of InputsOf. One unit of one shard is in memory at a time, and the sum of its
// unit.
absl::Status MergeStatistics(const std::vector<StatisticsFile>& shards,
                             const std::function<absl::Status(InputStatistics)>& done);

}  // namespace bitwright::worker
