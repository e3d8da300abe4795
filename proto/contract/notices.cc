#include "proto/contract/notices.h"

#include "proto/base/utf8.h"

namespace bitwright {

v1::Notice MakeNotice(const char* reason, const std::string& message) {
  v1::Notice notice;
  notice.set_reason(reason);
  notice.set_message(Printable(message));
  return notice;
}

}  // namespace bitwright
