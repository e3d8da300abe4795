#include "workers/sensitivity/profile.h"

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/recipe_options.h"

namespace bitwright::worker {
namespace {

void ToProto(const UnitSensitivity& from, const UnitSpec& spec, DType dtype, v1::Sensitivity::Unit& to) {
  to.set_name(from.unit);
  for (const auto& format : from.formats) {
    v1::FormatOption& option = *to.add_options();
    *option.mutable_format() = ToProto(format.format);
    option.set_bytes(CodedBytes(spec, format.format, dtype));
    option.set_loss(format.loss);
    option.set_measured(format.measured);
    to.add_proxies(format.proxy);
  }
  for (const auto& measurement : from.measurements) {
    auto& m = *to.add_measurements();
    *m.mutable_format() = ToProto(measurement.format);
    m.set_kl(measurement.kl);
    m.set_kl_standard_error(measurement.kl_standard_error);
    m.set_proxy(measurement.proxy);
    m.set_alpha(measurement.alpha);
  }
}

}  // namespace

absl::Status RunProfile(const v1::ProfileParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  ABSL_ASSIGN_OR_RETURN(const std::string statistics_path, io.InputPath(TaskFile::kStatistics));
  ABSL_ASSIGN_OR_RETURN(const StatisticsFile statistics, StatisticsFile::Open(statistics_path));
  const int64_t begin = params.windows().begin(), end = params.windows().end(), window = params.window();
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                        io.IdRows(TaskFile::kIds, begin, end, params.stride(), window, model.config().vocab));
  ABSL_ASSIGN_OR_RETURN(const DeviceMatrix reference,
                        io.FloatRows(TaskFile::kHidden, (end - begin) * window, model.config().hidden));
  BlockRunner runner(model, window, Compute::kF32, io.device());
  const ProfileData data{ids, reference.view()};
  const int64_t first = params.blocks().begin(), last = params.blocks().end();
  ABSL_ASSIGN_OR_RETURN(const auto units,
                        ProfileBlocks(runner, io.pool(), statistics, first, last, data,
                                      ProfileOptionsOf(params.recipe()), [&](double share) { io.Progress(share); }));
  v1::Sensitivity sensitivity;
  auto unit = units.begin();
  for (int64_t block = first; block < last; ++block) {
    for (const UnitSpec& spec : model.config().block(block).units) {
      ToProto(*unit++, spec, model.UnitType(spec), *sensitivity.add_units());
    }
  }
  return io.WriteProto(TaskFile::kSensitivity, sensitivity);
}

}  // namespace bitwright::worker
