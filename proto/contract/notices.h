#pragma once

#include <string>

#include "bitwright/v1/notices.pb.h"

namespace bitwright {

// `message` may hold names from hostile files: what is not printable UTF-8 is replaced (proto/base/utf8.h).
v1::Notice MakeNotice(const char* reason, const std::string& message);

}  // namespace bitwright
