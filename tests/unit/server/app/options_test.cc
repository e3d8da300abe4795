#include "server/app/options.h"

#include <gtest/gtest.h>

#include <vector>

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
  EXPECT_EQ(command.options->metrics_listen, "127.0.0.1:7072");
  EXPECT_EQ(command.options->workers, 1);
  EXPECT_EQ(command.options->cache_bytes, int64_t{20} << 30);
  EXPECT_FALSE(command.options->exit_with_parent);
}

TEST(Options, AreRead) {
  const CommandLine command =
      Parse({"--data-dir", "d", "--listen", "unix:/s", "--port-file", "p", "--workers", "0", "--worker-threads", "3",
             "--metrics-listen", "off", "--worker-binary", "w", "--lease-ttl", "0.5", "--exit-with-parent"});
  ASSERT_TRUE(command.options.has_value());
  EXPECT_EQ(command.options->listen, "unix:/s");
  EXPECT_EQ(command.options->port_file, "p");
  EXPECT_EQ(command.options->workers, 0);
  EXPECT_EQ(command.options->worker_threads, 3);
  EXPECT_EQ(command.options->metrics_listen, "off");
  EXPECT_EQ(command.options->worker_binary, "w");
  EXPECT_EQ(command.options->lease_ttl_seconds, 0.5);
  EXPECT_TRUE(command.options->exit_with_parent);
}

TEST(Options, WrongOnesEndWithCodeTwo) {
  EXPECT_EQ(Parse({}).exit_code, 2);
  EXPECT_EQ(Parse({"--data-dir", "d", "--workers", "-1"}).exit_code, 2);
  EXPECT_EQ(Parse({"--data-dir", "d", "--no-such-option"}).exit_code, 2);
  EXPECT_EQ(Parse({"--help"}).exit_code, 0);
  EXPECT_FALSE(Parse({"--help"}).options.has_value());
}

}  // namespace
}  // namespace bitwright::server
