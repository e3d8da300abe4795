#include "workers/tasks/checked_losses.h"

#include <map>
#include <string>

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/sensitivity/losses.h"
#include "workers/targets/format_messages.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

// What was measured of one unit.
struct OwnChecks {
  std::map<int, double> by_option;  // number of an option → measured
  std::vector<LossCheck> checks;

  const LossCheck* AtWidth(int bits) const {
    for (const LossCheck& check : checks) {
      if (check.bits == bits && check.measured > 0 && check.predicted > 0) return &check;
    }
    return nullptr;
  }
};

absl::StatusOr<OwnChecks> OwnChecksOf(const v1::Checks::Unit& check, const v1::Sensitivity::Unit& unit) {
  OwnChecks own;
  for (const v1::Checks::Measurement& measurement : check.measurements()) {
    const auto format = FormatOf(measurement.format());
    if (!format.ok()) return TaskInputDamagedError(TaskFile::kChecks, "measures '" + check.name() + "' in no format");
    const int option = FindOption(unit, measurement.format());
    if (option >= 0) own.by_option[option] = measurement.kl();
    own.checks.push_back({WidthOf(*format), measurement.kl(), measurement.predicted()});
  }
  return own;
}

absl::Status Correct(const OwnChecks& own, const std::vector<WidthCheck>& widths, v1::Sensitivity::Unit& unit) {
  for (int o = 0; o < unit.options_size(); ++o) {
    v1::FormatOption& option = *unit.mutable_options(o);
    const auto measured = own.by_option.find(o);
    if (measured != own.by_option.end() && measured->second > 0) {
      option.set_loss(measured->second);
      option.set_measured(true);
      continue;
    }
    ABSL_ASSIGN_OR_RETURN(const Format format, FormatOf(option.format()));
    const int bits = WidthOf(format);
    const LossCheck* at_width = own.AtWidth(bits);
    option.set_loss(option.loss() *
                    (at_width != nullptr ? at_width->measured / at_width->predicted : FactorOf(bits, widths)));
  }
  return absl::OkStatus();
}

}  // namespace

int FindOption(const v1::Sensitivity::Unit& unit, const v1::Format& format) {
  for (int o = 0; o < unit.options_size(); ++o) {
    if (SameFormat(unit.options(o).format(), format)) return o;
  }
  return -1;
}

absl::Status CorrectLosses(const std::vector<v1::Checks::Unit>& checks, std::vector<v1::Sensitivity::Unit>& units,
                           google::protobuf::RepeatedPtrField<v1::WidthCheck>& widths) {
  std::map<std::string, size_t> by_name;
  for (size_t u = 0; u < units.size(); ++u) by_name[units[u].name()] = u;
  std::map<size_t, OwnChecks> own;
  std::vector<LossCheck> all;
  for (const v1::Checks::Unit& check : checks) {
    const auto unit = by_name.find(check.name());
    if (unit == by_name.end()) {
      return TaskInputDamagedError(TaskFile::kChecks, "measures '" + check.name() + "', which is no unit");
    }
    ABSL_ASSIGN_OR_RETURN(OwnChecks of_unit, OwnChecksOf(check, units[unit->second]));
    all.insert(all.end(), of_unit.checks.begin(), of_unit.checks.end());
    own[unit->second] = std::move(of_unit);
  }
  const std::vector<WidthCheck> sums = SumByWidth(all);
  const OwnChecks none;
  for (size_t u = 0; u < units.size(); ++u) {
    const auto checked = own.find(u);
    ABSL_RETURN_IF_ERROR(Correct(checked == own.end() ? none : checked->second, sums, units[u]));
  }
  for (const WidthCheck& from : sums) {
    v1::WidthCheck& to = *widths.Add();
    to.set_bits(from.bits);
    to.set_units(from.units);
    to.set_measured(from.measured);
    to.set_predicted(from.predicted);
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
