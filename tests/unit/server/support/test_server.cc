#include "tests/unit/server/support/test_server.h"

#include "proto/base/log.h"

namespace bitwright::server {

TestServer::TestServer(const Clock& clock, ServerFakes fakes, const std::function<void(Options&)>& change) {
  Options options;
  options.data_dir = dir / "data";
  options.listen = "unix:" + (dir / "socket");
  options.metrics_listen = "off";
  options.workers = 0;
  if (change) change(options);
  auto started = Server::Start(options, clock, std::move(fakes));
  CHECK(started.ok()) << started.status().ToString();
  server = *std::move(started);
  calls = std::make_unique<RawCalls>(server->address());
}

}  // namespace bitwright::server
