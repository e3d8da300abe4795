#include "workers/kernels/compute_class.h"

#include <gtest/gtest.h>

#include "tests/conformance/elementwise_suite.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/onednn_limit.h"

// SetComputeClass holds for the whole process and comes before the first kernel: each class runs in a child of its own.
namespace bitwright::worker {
namespace {

// Falling order, as SetComputeClass documents.
const std::vector<std::string> kClasses = {"cpu-avx512-bf16", "cpu-avx512", "cpu-avx2", "cpu-x86-64-v2"};

bool Available(const std::string& name) {
  const auto at = [](const std::string& n) {
    return std::find(kClasses.begin(), kClasses.end(), n) - kClasses.begin();
  };
  return at(name) >= at(DetectComputeClass());
}

// Exits 0 when every kernel agrees with its formula on `name`.
[[noreturn]] void RunLowered(const std::string& name) {
  EXPECT_THAT(SetComputeClass(name), IsOk());
  EXPECT_EQ(ComputeClass(), name);
  EXPECT_EQ(HasBf16Gemm(), name == "cpu-avx512-bf16");
  EXPECT_EQ(OneDnnClass(), name);
  CheckAllElementwise(VectorKernels());
  CheckGemmF32();
  CheckGemmBf16();
  std::exit(::testing::Test::HasFailure() ? 1 : 0);
}

class ComputeClassDeathTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ComputeClassDeathTest, EveryKernelAgreesWithItsFormula) {
  if (!Available(GetParam())) GTEST_SKIP() << "this processor offers " << DetectComputeClass();
  // The style that starts the program anew: the child has run no kernel.
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(RunLowered(GetParam()), ::testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(All, ComputeClassDeathTest, ::testing::ValuesIn(kClasses));

// Exits 0 when the host beside a card computes as every other host does.
[[noreturn]] void RunBesideACard() {
  EXPECT_THAT(SetComputeClass("cuda-sm90-132"), IsOk());
  EXPECT_EQ(ComputeClass(), "cpu-avx2");
  EXPECT_FALSE(HasBf16Gemm());
  EXPECT_EQ(OneDnnClass(), "cpu-avx2");
  std::exit(::testing::Test::HasFailure() ? 1 : 0);
}

TEST(CardsComputeClassDeathTest, TheHostIsHeldToOneClassOfProcessors) {
  if (!Available("cpu-avx2")) GTEST_SKIP() << "this processor offers " << DetectComputeClass();
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(RunBesideACard(), ::testing::ExitedWithCode(0), "");
}

// Exits 0 when a first product, without a class set, holds oneDNN to the detected one.
[[noreturn]] void RunUnset() {
  CheckGemmF32();
  EXPECT_EQ(OneDnnClass(), DetectComputeClass());
  EXPECT_THAT(SetComputeClass(DetectComputeClass()), IsOk());
  std::exit(::testing::Test::HasFailure() ? 1 : 0);
}

TEST(UnsetComputeClassDeathTest, TheFirstProductIsHeldToTheDetectedOne) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(RunUnset(), ::testing::ExitedWithCode(0), "");
}

TEST(ComputeClass, UnknownOrHigherIsRefused) {
  for (const std::string& name :
       {std::string(), std::string("cpu-avx9"), std::string("CPU-AVX2"), std::string("cuda")}) {
    EXPECT_THAT(SetComputeClass(name), HasReason("COMPUTE_CLASS_UNAVAILABLE")) << name;
  }
  for (const std::string& name : kClasses) {
    if (Available(name)) continue;
    EXPECT_THAT(SetComputeClass(name), HasReason("COMPUTE_CLASS_UNAVAILABLE")) << name;
  }
}

TEST(ComputeClass, TheDetectedOneIsKnownAndInForce) {
  EXPECT_NE(std::find(kClasses.begin(), kClasses.end(), DetectComputeClass()), kClasses.end());
  EXPECT_EQ(ComputeClass(), DetectComputeClass());
}

}  // namespace
}  // namespace bitwright::worker
