#pragma once

#include "absl/status/statusor.h"
#include "server/web/job_form.h"
#include "server/web/pages.h"

namespace bitwright::server {

// The page of the form's model with the form as it was filled in; `error`: why it was refused, or OK.
absl::StatusOr<HttpResponse> ShowModelForm(const PageContext& context, JobForm form, const absl::Status& error);

}  // namespace bitwright::server
