#include "proto/report/report_provenance.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/report/html_text.h"
#include "proto/report/number_text.h"
#include "proto/report/text_table.h"

namespace bitwright {
namespace {

using Strings = google::protobuf::RepeatedPtrField<std::string>;
constexpr auto kLeft = TextTable::Align::kLeft;

void AddTexts(std::string_view use, const Strings& names, const Strings& digests, int64_t tokens, int window,
              v1::ComputeType compute, TextTable& table) {
  for (int t = 0; t < digests.size(); ++t) {
    table.Add({absl::StrCat(std::string(use), " text"), t < names.size() ? Printable(names[t], 128) : "", digests[t]});
  }
  table.Add({absl::StrCat(std::string(use), " tokens"),
             absl::StrCat(WithThousands(tokens), " in windows of ", window, ", ", ComputeText(compute)), ""});
}

std::string Tasks(const v1::Provenance& provenance) {
  TextTable table({{"task", kLeft}, {"digest", kLeft}, {"inputs", kLeft}, {"outputs", kLeft}});
  for (const v1::ProvenanceEntry& task : provenance.tasks()) {
    table.Add(
        {task.label(), task.task_digest(), absl::StrJoin(task.inputs(), " "), absl::StrJoin(task.outputs(), " ")});
  }
  return Folded(absl::StrCat(provenance.tasks_size(), " tasks"),
                HtmlTable(table, "Tasks, by the SHA-256 of what they were told, read and wrote"));
}

}  // namespace

std::string ComputeText(v1::ComputeType type) { return type == v1::COMPUTE_TYPE_BF16 ? "bf16" : "f32"; }

std::string Provenance(const v1::Report& report) {
  const v1::Provenance& from = report.provenance();
  TextTable table({{"what", kLeft}, {"", kLeft}, {"digest", kLeft}});
  table.Add({"model", Printable(report.model(), 128), from.model()});
  AddTexts("calibration", report.calibration_names(), from.calibration_data(), from.calibration_tokens(), from.window(),
           report.calibration_compute(), table);
  AddTexts("evaluation", report.evaluation_names(), from.evaluation_data(), from.evaluation_tokens(), from.window(),
           report.evaluation_compute(), table);
  for (int f = 0; f < from.choices_data_size(); ++f) {
    table.Add(
        {"questions", f < report.choices_size() ? Printable(report.choices(f).name(), 128) : "", from.choices_data(f)});
  }
  table.Add({"compute class", Printable(from.compute_class(), 128), ""});
  table.Add({"code version", Printable(from.code_version(), 128), ""});
  const std::string recipe = "<pre>" + Escaped(report.recipe_used().Utf8DebugString()) + "</pre>\n";
  return HtmlTable(table, "Model, texts and machine") + Folded("The recipe as it was used", recipe) + Tasks(from);
}

}  // namespace bitwright
