#include <gtest/gtest.h>

#include "tests/conformance/device_suite.h"
#include "workers/kernels/cuda/cuda_device.h"

// The suite on a graphics processor: skipped where there is none. Carried to a machine with one, this program says at
// its end what passed.
namespace bitwright::worker {
namespace {

class Cuda : public ::testing::TestWithParam<DeviceCheck> {};

TEST_P(Cuda, AgreesWithTheReference) {
  if (CudaCards().empty()) GTEST_SKIP() << "no CUDA here";
  ThreadPool pool(4);
  const auto device = MakeCudaDevice(0, pool);
  ASSERT_TRUE(device.ok()) << device.status();
  GetParam().run(**device);
}

INSTANTIATE_TEST_SUITE_P(All, Cuda, ::testing::ValuesIn(DeviceChecks()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bitwright::worker
