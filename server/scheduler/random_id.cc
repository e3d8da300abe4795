#include "server/scheduler/random_id.h"

#include <openssl/rand.h>

#include "proto/contract/log.h"

namespace bitwright {

std::string RandomId() {
  unsigned char raw[8];
  CHECK(RAND_bytes(raw, sizeof(raw)) == 1) << "the system's random source failed";
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : raw) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

}  // namespace bitwright
