#pragma once

#include <span>

#include "absl/time/time.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "server/web/view.h"

// A job as its page shows it. Pure.
namespace bitwright::server {

// What changes while it runs: state, progress, what it waits for, stages.
View ProgressView(const v1::Job& job, absl::Time now);

// The whole page; `reports`: of a job that SUCCEEDED, one for each goal.
View JobView(const v1::Job& job, std::span<const v1::Report> reports, absl::Time now);

// The main numbers of a report, and its Pareto front.
View ReportView(const v1::Report& report);

}  // namespace bitwright::server
