#include <gtest/gtest.h>

#include "tests/conformance/device_suite.h"
#include "workers/kernels/cpu/cpu_device.h"

namespace bitwright::worker {
namespace {

class EveryDevice : public ::testing::TestWithParam<DeviceCheck> {};

TEST_P(EveryDevice, CpuWithOneThread) {
  ThreadPool pool(1);
  GetParam().run(*MakeCpuDevice(pool));
}

TEST_P(EveryDevice, CpuWithThreeThreads) {
  ThreadPool pool(3);
  GetParam().run(*MakeCpuDevice(pool));
}

INSTANTIATE_TEST_SUITE_P(All, EveryDevice, ::testing::ValuesIn(DeviceChecks()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bitwright::worker
