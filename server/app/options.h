#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "proto/base/log.h"
#include "server/app/tracing.h"
#include "server/blobs/disk_watch.h"
#include "server/blobs/upload_table.h"
#include "server/rpc/server_tls.h"
#include "server/store/tenant_limits.h"

namespace bitwright::server {

// What the command line says. Nothing below app/ reads flags.
struct Options {
  std::string data_dir;
  std::string listen = "127.0.0.1:7071";  // "HOST:PORT" or "unix:/path"
  std::string port_file;                  // gets the bound address; empty: none
  std::string metrics_listen;             // "HOST:PORT"; "off": none; empty: MetricsAddressOf(listen)
  std::string web_listen;                 // "HOST:PORT"; "off": none; empty: WebAddressOf(listen)
  std::string scaler_listen;              // "HOST:PORT" or "unix:/path"; empty: none
  int workers = 1;
  int worker_threads = 0;  // 0: cores / workers
  std::string worker_device = "auto";
  int64_t worker_memory_bytes = 0;  // of all local workers together; 0: the machine's
  std::string worker_binary;        // empty: bitwright-worker beside this executable
  double lease_ttl_seconds = 10;
  double lease_grace_seconds = 10;
  int64_t cache_bytes = int64_t{20} << 30;
  double unused_blob_seconds = 3600;
  UploadLimits uploads;
  TenantLimits tenant_limits;  // of tenants without limits of their own
  Watermark disk_low = kDefaultDiskLow;
  Watermark disk_full = kDefaultDiskFull;
  LogSeverity log_level = LogSeverity::kInfo;
  LogFormat log_format = LogFormat::kText;
  std::string tokens_file;  // empty: nobody is asked
  TlsFiles tls;
  std::string audit_log;  // empty: none
  TracingOptions tracing;
  bool exit_with_parent = false;
  std::string failpoints;  // of BITWRIGHT_FAILPOINTS, for tests
};

struct CommandLine {
  std::optional<Options> options;  // nothing: help was shown or the arguments were wrong, both already printed
  int exit_code = 0;
};
CommandLine ParseCommandLine(int argc, const char* const* argv);

}  // namespace bitwright::server
