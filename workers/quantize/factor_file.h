#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/quantize/factor.h"

// Factors in a file of statistics (calibrate/statistics_file.h), in the place of the second moments of which they were
// made and of the same size: computed once, they serve every task that rounds. Of an input of n columns:
//   "{name}/M" f32 [n(n+1)/2]        packed upper triangle of M, with D on the diagonal
//   "{name}/order" i32 [n]           FactorHead::order
//   "{name}/diagonal" f32 [n]        FactorHead::diagonal; 0 for a dead column
//   "{name}/added" f64 [1]           FactorHead::added
//   "{name}/rows" i64 [1]
// The metadata hold the options, "act_order" and "damping".
namespace bitwright::worker {

// Of what never came: inputs are taken as uncorrelated and of one size.
void BecomeIdentity(InputStatistics& statistics);

// Writes the statistics of inputs or, with options, their factors. An input that no row reached is factorized as
// BecomeIdentity has it.
class RoundingInputsWriter {
 public:
  static absl::StatusOr<RoundingInputsWriter> Create(const std::string& path,
                                                     const std::vector<StatisticsWriter::Input>& inputs,
                                                     const std::optional<FactorOptions>& factoring, Device& device);
  // In the order of the inputs. Errors of BeginFactor and FinishFactor.
  absl::Status Append(InputStatistics input);
  absl::Status Close();

 private:
  struct Factors {
    SafetensorsWriter writer;
    FactorOptions options;
    Device* device;

    absl::Status Append(InputStatistics input);
  };
  explicit RoundingInputsWriter(std::variant<StatisticsWriter, Factors> writer) : writer_(std::move(writer)) {}
  std::variant<StatisticsWriter, Factors> writer_;
};

// Whether a file holds factors.
bool HoldsFactors(const StatisticsFile& file);

// The factor of an input, on a device. STATISTICS_DAMAGED: not there, not whole, or of other options.
absl::StatusOr<std::unique_ptr<DeviceFactor>> ReadFactor(const StatisticsFile& file, const std::string& input,
                                                         const FactorOptions& options, Device& device);

}  // namespace bitwright::worker
