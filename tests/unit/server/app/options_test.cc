#include "server/app/options.h"

#include <gtest/gtest.h>

#include <vector>

#include "server/app/watermark_text.h"

namespace bitwright::server {
namespace {

CommandLine Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "bitwrightd");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Options, DefaultsNeedOnlyADataDirectory) {
  const CommandLine command = Parse({"--data-dir", "d"});
  ASSERT_TRUE(command.options.has_value());
  EXPECT_EQ(command.options->data_dir, "d");
  EXPECT_EQ(command.options->listen, "127.0.0.1:7071");
  EXPECT_EQ(command.options->metrics_listen, "") << "the port after --listen";
  EXPECT_EQ(command.options->uploads.most_open, 256);
  EXPECT_EQ(WatermarkText(command.options->disk_low), "5%,2GiB");
  EXPECT_EQ(WatermarkText(command.options->disk_full), "1%,512MiB");
  EXPECT_EQ(command.options->log_level, LogSeverity::kInfo);
  EXPECT_EQ(command.options->log_format, LogFormat::kText);
  EXPECT_EQ(command.options->workers, 1);
  EXPECT_EQ(command.options->cache_bytes, int64_t{20} << 30);
  EXPECT_FALSE(command.options->exit_with_parent);
  EXPECT_FALSE(command.options->tls.on());
  EXPECT_EQ(command.options->tokens_file, "") << "nobody is asked";
}

TEST(Options, AreRead) {
  const CommandLine command = Parse({"--data-dir",
                                     "d",
                                     "--listen",
                                     "unix:/s",
                                     "--port-file",
                                     "p",
                                     "--workers",
                                     "0",
                                     "--worker-threads",
                                     "3",
                                     "--metrics-listen",
                                     "off",
                                     "--worker-binary",
                                     "w",
                                     "--lease-ttl",
                                     "0.5",
                                     "--exit-with-parent",
                                     "--max-uploads",
                                     "7",
                                     "--max-upload-bytes",
                                     "1000",
                                     "--disk-low",
                                     "3%",
                                     "--disk-full",
                                     "0",
                                     "--log-level",
                                     "debug",
                                     "--log-format",
                                     "json",
                                     "--worker-memory",
                                     "1073741824",
                                     "--tokens-file",
                                     "t",
                                     "--tls-cert",
                                     "c",
                                     "--tls-key",
                                     "k",
                                     "--tls-client-ca",
                                     "ca",
                                     "--audit-log",
                                     "a"});
  ASSERT_TRUE(command.options.has_value());
  EXPECT_EQ(command.options->listen, "unix:/s");
  EXPECT_EQ(command.options->port_file, "p");
  EXPECT_EQ(command.options->workers, 0);
  EXPECT_EQ(command.options->worker_threads, 3);
  EXPECT_EQ(command.options->metrics_listen, "off");
  EXPECT_EQ(command.options->worker_binary, "w");
  EXPECT_EQ(command.options->lease_ttl_seconds, 0.5);
  EXPECT_TRUE(command.options->exit_with_parent);
  EXPECT_EQ(command.options->uploads.most_open, 7);
  EXPECT_EQ(command.options->uploads.most_bytes, 1000);
  EXPECT_EQ(command.options->disk_low.fraction, 0.03);
  EXPECT_EQ(command.options->disk_full.BytesOf(1'000'000), 0);
  EXPECT_EQ(command.options->log_level, LogSeverity::kDebug);
  EXPECT_EQ(command.options->log_format, LogFormat::kJson);
  EXPECT_EQ(command.options->worker_memory_bytes, 1 << 30);
  EXPECT_EQ(command.options->tokens_file, "t");
  EXPECT_EQ(command.options->tls.certificate, "c");
  EXPECT_EQ(command.options->tls.key, "k");
  EXPECT_EQ(command.options->tls.client_ca, "ca");
  EXPECT_EQ(command.options->audit_log, "a");
}

TEST(Options, WrongOnesEndWithCodeTwo) {
  EXPECT_EQ(Parse({}).exit_code, 2);
  EXPECT_EQ(Parse({"--data-dir", "d", "--workers", "-1"}).exit_code, 2);
  EXPECT_EQ(Parse({"--data-dir", "d", "--no-such-option"}).exit_code, 2);
  EXPECT_EQ(Parse({"--data-dir", "d", "--metrics-listen", ""}).exit_code, 2);
  EXPECT_EQ(Parse({"--data-dir", "d", "--disk-low", "much"}).exit_code, 2);
  EXPECT_EQ(Parse({"--data-dir", "d", "--log-level", "loud"}).exit_code, 2);
  EXPECT_EQ(Parse({"--data-dir", "d", "--log-format", "xml"}).exit_code, 2);
  EXPECT_EQ(Parse({"--data-dir", "d", "--worker-memory", "1"}).exit_code, 2);
  EXPECT_EQ(Parse({"--help"}).exit_code, 0);
  EXPECT_FALSE(Parse({"--help"}).options.has_value());
}

}  // namespace
}  // namespace bitwright::server
