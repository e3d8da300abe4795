#pragma once

#include "bitwright/v1/jobs.pb.h"
#include "server/web/view.h"

namespace bitwright::server {

// What a planned job needs, and what each of its goals can reach; bounds are rounded inwards, so that each is accepted
// as it stands there. Pure.
View EstimateView(const v1::Job& planned);

}  // namespace bitwright::server
