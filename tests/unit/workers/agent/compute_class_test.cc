#include "workers/agent/compute_class.h"

#include <fstream>
#include <sstream>

#include "proto/contract/digest.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/agent/code_version.h"
#include "workers/base/files.h"
#include "workers/kernels/compute_class.h"

namespace bitwright {
namespace {

using testing::HasReason;

TEST(ComputeClass, AgreesWithTheKernelsList) {
  std::ifstream file("/proc/cpuinfo");
  std::ostringstream text;
  text << file.rdbuf();
  const auto has = [&](const std::string& flag) { return text.str().find(" " + flag + " ") != std::string::npos; };
  const std::string detected = DetectComputeClass();
  EXPECT_EQ(detected != "cpu-x86-64-v2", has("avx2") && has("fma") && has("f16c"));
  EXPECT_EQ(detected.starts_with("cpu-avx512"),
            has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl"));
  EXPECT_EQ(detected == "cpu-avx512-bf16", has("avx512_bf16"));
}

TEST(ComputeClass, CanBeLoweredButNotRaised) {
  EXPECT_EQ(*ChooseComputeClass("cpu-avx512", ""), "cpu-avx512");
  EXPECT_EQ(*ChooseComputeClass("cpu-avx512", "cpu-avx2"), "cpu-avx2");
  EXPECT_EQ(*ChooseComputeClass("cpu-avx512", "cpu-avx512"), "cpu-avx512");
  EXPECT_THAT(ChooseComputeClass("cpu-avx512", "cpu-avx512-bf16"), HasReason("COMPUTE_CLASS_UNAVAILABLE"));
  EXPECT_THAT(ChooseComputeClass("cpu-avx512", "cuda"), HasReason("COMPUTE_CLASS_UNKNOWN"));
}

TEST(CodeVersion, IsProjectVersionAndHashOfTheProgram) {
  const TempDir dir;
  ASSERT_THAT(WriteFile(dir / "program", "some code"), testing::IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string version, CodeVersion(dir / "program"));
  EXPECT_EQ(version.substr(version.find('-') + 1), Sha256Hex("some code").substr(0, 16));
  EXPECT_THAT(CodeVersion(dir / "nothing"), HasReason("FILE_UNREADABLE"));
}

}  // namespace
}  // namespace bitwright
