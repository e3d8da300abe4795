#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/app/server.h"
#include "tests/support/fixtures.h"
#include "tests/unit/server/support/raw_calls.h"

namespace bitwright::server {

// A whole server without workers and metrics, on a socket in a folder of its own, with a connection to it. It must
// start.
struct TestServer {
  explicit TestServer(const Clock& clock, ServerFakes fakes = {},
                      const std::function<void(Options&)>& change = nullptr);

  TempDir dir;
  std::unique_ptr<Server> server;
  std::unique_ptr<RawCalls> calls;
};

}  // namespace bitwright::server
