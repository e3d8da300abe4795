#include "workers/sensitivity/profile.h"
#include "workers/sensitivity/end_profile.h"

#include "proto/base/status_macros.h"
#include "proto/contract/format_choice.h"
#include "proto/contract/task_names.h"
#include "workers/targets/format_messages.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/recipe_options.h"

namespace bitwright::worker {
namespace {

void ToProto(const UnitProfile& from, const Target& target, const UnitSpec& spec, DType dtype,
             v1::Sensitivity::Unit& to) {
  to.set_name(from.unit);
  for (const UnitProfile::Option& priced : from.options) {
    v1::FormatOption& option = *to.add_options();
    to.add_proxies(priced.proxy);
    *option.mutable_format() = ToProto(priced.format);
    option.set_bytes(UnitBytes(target, spec, priced.format, dtype));
    option.set_loss(priced.predicted);
    if (!target.linears_differ() || spec.linears_of_expert() < 2) continue;
    for (size_t l = 0; l < priced.linears.size(); ++l) {
      v1::FormatOption::LinearPrice& price = *option.add_linears();
      price.set_bytes(LinearBytes(target, spec, l, priced.format, dtype));
      price.set_loss(priced.linears[l]);
    }
  }
  for (const int64_t expert : from.unreached) to.add_unreached(static_cast<int32_t>(expert));
}

absl::Status ProfileEnds(const v1::ProfileParams& params, const Model& model, const Target& target, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const auto paths, io.InputPaths(NumberedPrefix(TaskFile::kEnds)));
  ABSL_ASSIGN_OR_RETURN(const EndFiles files, EndFiles::Open(paths));
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                        io.IdRows(TaskFile::kIds, 0, params.windows(), 1, params.window(), model.config().vocab));
  v1::Recipe recipe = params.recipe();
  *recipe.mutable_formats() = FormatsOfEnds(params.recipe().formats());
  ABSL_ASSIGN_OR_RETURN(const auto profiles,
                        ProfileEnds(model, io.device(), files, ids, ProfileOptionsOf(recipe, target),
                                    [&](double share) { io.Progress(share); }));
  v1::Sensitivity sensitivity;
  auto profile = profiles.begin();
  for (const EndUnit& end : EndUnits(model)) {
    ToProto(*profile++, target, end.unit, model.UnitType(end.unit), *sensitivity.add_units());
  }
  return io.WriteProto(TaskFile::kSensitivity, sensitivity);
}

}  // namespace

absl::Status RunProfile(const v1::ProfileParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  ABSL_ASSIGN_OR_RETURN(const Target* target, FindTarget(params.target()));
  if (params.ends()) return ProfileEnds(params, model, *target, io);
  ABSL_ASSIGN_OR_RETURN(const std::string statistics_path, io.InputPath(TaskFile::kStatistics));
  ABSL_ASSIGN_OR_RETURN(const StatisticsFile statistics, StatisticsFile::Open(statistics_path));
  ABSL_ASSIGN_OR_RETURN(const auto curvature_paths, io.InputPaths(NumberedPrefix(TaskFile::kCurvature)));
  ABSL_ASSIGN_OR_RETURN(const CurvatureFiles curvature, CurvatureFiles::Open(curvature_paths));
  const int64_t first = params.blocks().begin(), last = params.blocks().end();
  ABSL_ASSIGN_OR_RETURN(const auto units, ProfileBlocks(model, io.device(), statistics, curvature, first, last,
                                                        ProfileOptionsOf(params.recipe(), *target),
                                                        [&](double share) { io.Progress(share); }));
  v1::Sensitivity sensitivity;
  auto unit = units.begin();
  for (int64_t block = first; block < last; ++block) {
    for (const UnitSpec& spec : model.config().block(block).units) {
      ToProto(*unit++, *target, spec, model.UnitType(spec), *sensitivity.add_units());
    }
  }
  return io.WriteProto(TaskFile::kSensitivity, sensitivity);
}

}  // namespace bitwright::worker
