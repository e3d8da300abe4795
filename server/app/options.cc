#include "server/app/options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "proto/base/log_words.h"
#include "server/app/watermark_text.h"

namespace bitwright::server {
namespace {

constexpr char kWatermarkForm[] = ": bytes, \"2GiB\", \"5%\", or two with a comma: the smaller; 0: never";

CLI::callback_t ReadWatermark(Watermark& mark) {
  return [&mark](const std::vector<std::string>& texts) {
    const absl::StatusOr<Watermark> parsed = ParseWatermark(texts.back());
    if (!parsed.ok()) throw CLI::ValidationError(std::string(parsed.status().message()));
    mark = *parsed;
    return true;
  };
}

CLI::Validator NotEmpty() {
  return {[](const std::string& text) { return text.empty() ? std::string("an address is empty") : std::string(); },
          ""};
}

constexpr int64_t kLeastWorkerMemory = int64_t{256} << 20;  // of 256 workers 1 MiB each, which they insist on
constexpr int64_t kMostWorkerMemory = int64_t{1} << 50;

void AddAccess(CLI::App& app, Options& options) {
  app.add_option("--tokens-file", options.tokens_file, "Who may call: lines as `bitwright token new` prints them");
  app.add_option("--tls-cert", options.tls.certificate, "PEM file of the server's certificate, its issuers after it");
  app.add_option("--tls-key", options.tls.key, "PEM file of its key");
  app.add_option("--tls-client-ca", options.tls.client_ca,
                 "PEM file of certificates; every client must then have one that these signed");
  app.add_option("--audit-log", options.audit_log, "Append a JSON line for each call that is to change something");
}

void AddTracing(CLI::App& app, TracingOptions& tracing) {
  tracing = TracingOfEnvironment();
  const CLI::callback_t take = [&tracing](const std::vector<std::string>& texts) {
    tracing.endpoint = texts.back();
    tracing.endpoint_of_environment = false;
    return true;
  };
  app.add_option(
      "--otlp-endpoint", take,
      "HOST:PORT, https://HOST:PORT or unix:/path of an OpenTelemetry collector that takes traces (OTLP over gRPC); "
      "default: OTEL_EXPORTER_OTLP_ENDPOINT; empty: none");
}

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  Options options;
  if (const char* failpoints = std::getenv("BITWRIGHT_FAILPOINTS")) options.failpoints = failpoints;
  CLI::App app(
      "bitwrightd: quantization as a service. Keeps models, jobs and blobs in one directory and runs workers.");
  app.add_option("--data-dir", options.data_dir, "Directory for everything the server keeps; made when missing")
      ->required();
  app.add_option(
         "--listen", options.listen,
         "HOST:PORT (port 0: any free one), or unix:/path; beyond loopback only with --tls-cert and --tokens-file")
      ->capture_default_str();
  app.add_option("--port-file", options.port_file, "Write the bound address to this file once the server answers");
  app.add_option("--metrics-listen", options.metrics_listen,
                 "HOST:PORT of /metrics, or \"off\"; default: on loopback, the port after --listen, or any free one")
      ->check(NotEmpty());
  app.add_option("--web-listen", options.web_listen,
                 "HOST:PORT of the web page, or \"off\"; default: on loopback, two ports after --listen, or any free "
                 "one; beyond loopback as --listen")
      ->check(NotEmpty());
  app.add_option(
      "--scaler-listen", options.scaler_listen,
      "HOST:PORT or unix:/path of an address for KEDA that serves nothing but how many workers there is work "
      "for, to everybody; beyond loopback only with --tls-cert");
  app.add_option("--workers", options.workers, "Local worker processes; 0: none")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  app.add_option("--worker-threads", options.worker_threads, "Threads of each local worker; 0: cores / workers")
      ->check(CLI::Range(0, 1024));
  app.add_option(
         "--worker-device", options.worker_device,
         "What each local worker computes on: cpu, cuda, or auto: a free graphics processor, else the processor")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--worker-memory", options.worker_memory_bytes,
                 "Bytes of memory of all local workers together; default: the machine's")
      ->check(CLI::Range(kLeastWorkerMemory, kMostWorkerMemory));
  app.add_option("--worker-binary", options.worker_binary, "Path of bitwright-worker; default: beside bitwrightd");
  app.add_option("--lease-ttl", options.lease_ttl_seconds, "Seconds that a lease lasts without a heartbeat")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--lease-grace", options.lease_grace_seconds,
                 "Seconds beyond that before another worker gets the task")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--cache-bytes", options.cache_bytes, "Bytes of intermediate results to keep for later jobs")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--unused-blob-seconds", options.unused_blob_seconds, "How long an unused blob is kept")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--max-uploads", options.uploads.most_open, "Uploads that may be open at once")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--max-upload-bytes", options.uploads.most_bytes,
                 "Bytes that open uploads may declare and broken-off ones leave behind, together")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--tenant-bytes", options.tenant_limits.bytes,
                 "Bytes of blobs that a tenant may hold, unless it has a limit of its own; 0: any number")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--tenant-queued-jobs", options.tenant_limits.queued_jobs,
                 "Jobs that a tenant may have queued; likewise")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--tenant-running-jobs", options.tenant_limits.running_jobs,
                 "Jobs that a tenant may have running at once; likewise")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--disk-low", ReadWatermark(options.disk_low),
                 std::string("Free disk space below which nothing new is leased") + kWatermarkForm)
      ->default_str(WatermarkText(options.disk_low));
  app.add_option("--disk-full", ReadWatermark(options.disk_full),
                 std::string("Free disk space below which uploads are refused") + kWatermarkForm)
      ->default_str(WatermarkText(options.disk_full));
  app.add_option("--log-level", options.log_level, "The least severe messages to log: debug, info, warning or error")
      ->transform(CLI::CheckedTransformer(LogLevels()))
      ->default_str("info");
  app.add_option("--log-format", options.log_format, "text, or json: one object a line")
      ->transform(CLI::CheckedTransformer(LogFormats()))
      ->default_str("text");
  AddAccess(app, options);
  AddTracing(app, options.tracing);
  app.add_flag("--exit-with-parent", options.exit_with_parent, "Shut down when the process that started this one ends");
  app.set_version_flag("--version", "bitwrightd " BITWRIGHT_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int kUsage = 2;
    return {std::nullopt, app.exit(error) == 0 ? 0 : kUsage};
  }
  return {options, 0};
}

}  // namespace bitwright::server
