#include <gtest/gtest.h>

#include "tests/conformance/elementwise_suite.h"

namespace bitwright::worker {
namespace {

class Elementwise : public ::testing::TestWithParam<KernelSet> {};

TEST_P(Elementwise, RmsNorm) { CheckRmsNorm(GetParam()); }
TEST_P(Elementwise, LayerNorm) { CheckLayerNorm(GetParam()); }
TEST_P(Elementwise, ApplyRope) { CheckApplyRope(GetParam()); }
TEST_P(Elementwise, Softmax) { CheckSoftmax(GetParam()); }
TEST_P(Elementwise, Activations) { CheckActivations(GetParam()); }
TEST_P(Elementwise, SoftCap) { CheckSoftCap(GetParam()); }
TEST_P(Elementwise, Add) { CheckAdd(GetParam()); }
TEST_P(Elementwise, NarrowToBf16) { CheckNarrowToBf16(GetParam()); }
TEST_P(Elementwise, RoundAtSite) { CheckRoundAtSite(GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, Elementwise, ::testing::Values(ReferenceKernels(), VectorKernels()),
                         [](const auto& info) { return info.param.name; });

TEST(Gemm, F32) { CheckGemmF32(); }
TEST(Gemm, Bf16) { CheckGemmBf16(); }

}  // namespace
}  // namespace bitwright::worker
