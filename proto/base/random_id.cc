#include "proto/base/random_id.h"

#include <openssl/rand.h>

#include "absl/strings/escaping.h"
#include "proto/base/log.h"

namespace bitwright {

std::string RandomId(int digits) {
  std::string bytes(static_cast<size_t>(digits) / 2, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) == 1)
      << "the system's random source failed";
  return absl::BytesToHexString(bytes);
}

}  // namespace bitwright
