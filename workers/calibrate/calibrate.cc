#include "workers/calibrate/calibrate.h"

#include "proto/base/status_macros.h"
#include "workers/model/unit_inputs.h"

namespace bitwright::worker {

std::vector<StatisticsWriter::Input> CalibratedInputs(const ModelConfig& config, int64_t begin, int64_t end) {
  std::vector<StatisticsWriter::Input> inputs;
  for (int64_t b = begin; b < end; ++b) {
    for (const UnitSpec& unit : config.block(b).units) {
      for (int64_t e = 0; e < unit.experts; ++e) inputs.push_back({unit.input(e), unit.in()});
    }
  }
  return inputs;
}

absl::Status Calibrate(BlockRunner& runner, int64_t begin, int64_t end, const Matrix& x,
                       const std::function<absl::Status(UnitStatistics)>& done,
                       const std::function<void(double)>& progress) {
  for (int64_t b = begin; b < end; ++b) {
    ABSL_ASSIGN_OR_RETURN(BlockWeights block, runner.LoadBlock(b));
    if (b + 1 < end) runner.model().Prefetch(b + 1);
    const std::vector<UnitSpec> units = block.program.units;
    const std::vector<Part> inputs = UnitInputs(block.program);
    std::vector<std::vector<SecondMoment>> moments;  // of each unit, by expert
    for (const UnitSpec& unit : units) {
      std::vector<SecondMoment>& experts = moments.emplace_back();
      for (int64_t e = 0; e < unit.experts; ++e) experts.emplace_back(unit.in(), runner.device());
    }
    int64_t rows = 0;  // that have passed the first input
    runner.Run(block, x, [&](const WrittenValue& written) {
      for (size_t u = 0; u < inputs.size(); ++u) {
        const Part& part = inputs[u];
        if (part.value != written.value) continue;
        moments[u][static_cast<size_t>(written.expert)].Add(written.data.Columns(part.first, part.columns));
        if (u == 0) {
          rows += written.data.rows;
          progress((static_cast<double>(b - begin) + static_cast<double>(rows) / static_cast<double>(x.rows)) /
                   static_cast<double>(end - begin));
        }
      }
    });
    block = {};  // what becomes of the statistics may take as much
    for (size_t u = 0; u < moments.size(); ++u) {
      for (size_t e = 0; e < moments[u].size(); ++e) {
        ABSL_RETURN_IF_ERROR(done({units[u].input(static_cast<int64_t>(e)), moments[u][e].Finish()}));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
