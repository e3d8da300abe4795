#include "server/web/estimate_view.h"

#include "absl/strings/str_cat.h"
#include "proto/report/job_goals.h"
#include "proto/report/number_text.h"
#include "server/web/page_text.h"

namespace bitwright::server {
namespace {

constexpr int kBitDecimals = 3;

View GoalRow(const v1::GoalEstimate& goal) {
  return View()
      .Text("goal", GoalText(goal.goal()))
      .Text("bits", absl::StrCat(RoundedUp(goal.smallest_average_bits(), kBitDecimals), " to ",
                                 RoundedDown(goal.largest_average_bits(), kBitDecimals)))
      .Text("bytes", absl::StrCat(WithThousands(goal.smallest_artifact_bytes()), " to ",
                                  WithThousands(goal.largest_artifact_bytes())))
      .Text("artifact", WithThousands(goal.artifact_bytes()))
      .If("loadable", goal.loadable())
      .Optional("reason", goal.loadable_reason());
}

}  // namespace

View EstimateView(const v1::Job& planned) {
  const v1::Estimate& estimate = planned.estimate();
  View::Items goals;
  for (const v1::GoalEstimate& goal : EstimatesOf(planned)) goals.push_back(GoalRow(goal));
  return View()
      .Text("tasks", absl::StrCat(estimate.tasks()))
      .Text("time", SecondsText(estimate.seconds()))
      .Text("memory", BytesText(estimate.peak_memory_bytes()))
      .Text("thread_memory", BytesText(estimate.thread_memory_bytes()))
      .If("on_card", estimate.peak_device_memory_bytes() > 0)
      .Text("device_memory", BytesText(estimate.peak_device_memory_bytes()))
      .Text("host_memory", BytesText(estimate.peak_host_memory_bytes()))
      .Text("intermediate", BytesText(estimate.intermediate_bytes()))
      .Each("goals", std::move(goals));
}

}  // namespace bitwright::server
