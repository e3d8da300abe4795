#include <gtest/gtest.h>

#include "tests/conformance/device_suite.h"
#include "workers/kernels/cpu/cpu_device.h"

namespace bitwright::worker {
namespace {

struct DeviceUnderTest {
  const char* name;
  int threads;
};

class EveryDevice : public ::testing::TestWithParam<DeviceUnderTest> {
 protected:
  ThreadPool pool_{GetParam().threads};
  std::unique_ptr<Device> device_ = MakeCpuDevice(pool_);
};

TEST_P(EveryDevice, Transfers) { CheckTransfers(*device_); }
TEST_P(EveryDevice, Products) { CheckProducts(*device_); }
TEST_P(EveryDevice, Norms) { CheckNorms(*device_); }
TEST_P(EveryDevice, Rotations) { CheckRotations(*device_); }
TEST_P(EveryDevice, Attention) { CheckAttention(*device_); }
TEST_P(EveryDevice, Activations) { CheckActivations(*device_); }
TEST_P(EveryDevice, Experts) { CheckExperts(*device_); }
TEST_P(EveryDevice, Logits) { CheckLogits(*device_); }
TEST_P(EveryDevice, Moments) { CheckMoments(*device_); }
TEST_P(EveryDevice, Rounding) { CheckRounding(*device_); }

INSTANTIATE_TEST_SUITE_P(All, EveryDevice, ::testing::Values(DeviceUnderTest{"cpu_1", 1}, DeviceUnderTest{"cpu_3", 3}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bitwright::worker
