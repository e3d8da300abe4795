#include <gtest/gtest.h>

#include <cstring>

#include "tests/conformance/device_suite.h"
#include "tests/conformance/expected.h"
#include "tests/support/device_values.h"
#include "workers/kernels/cuda/cuda_device.h"

// The suite on a graphics processor: skipped where there is none. Carried to a machine with one, this program says at
// its end what passed.
namespace bitwright::worker {
namespace {

// Sweeps end where no single step helps, of which there are many places: on an H100 one grid in another order of
// columns ended 1.02 % below where the reference does.
constexpr double kBelow = 0.02;

class Cuda : public ::testing::TestWithParam<DeviceCheck> {};

TEST_P(Cuda, AgreesWithTheReference) {
  if (CudaCards().empty()) GTEST_SKIP() << "no CUDA here";
  ThreadPool pool(4);
  const auto device = MakeCudaDevice(0, pool);
  ASSERT_TRUE(device.ok()) << device.status();
  GetParam().run(**device);
}

INSTANTIATE_TEST_SUITE_P(All, Cuda, ::testing::ValuesIn(DeviceChecks(kBelow)),
                         [](const auto& info) { return info.param.name; });

// What a small step of everything that sums gives, in order.
std::vector<float> Step(Device& device) {
  const int64_t rows = 520, heads = 4, dim = 64, width = heads * dim;
  std::vector<float> all;
  const auto keep = [&](const Matrix& m) {
    const std::vector<float> values = Values(device, m);
    all.insert(all.end(), values.begin(), values.end());
  };
  const auto random = [&](int64_t columns, uint32_t seed) {
    return OnDevice(device, RandomFloats(rows * columns, seed), rows);
  };
  const DeviceMatrix x = random(width, 1), w = random(width, 2), out(device, DType::kF32, rows, rows);
  const DeviceMatrix narrow(device, DType::kBF16, rows, width), moment(device, DType::kF32, width, width);
  device.Multiply(x.view(), {w.view()}, out.view());
  keep(out.view());
  device.Narrow(w.view(), narrow.view());
  device.Multiply(x.view(), {narrow.view()}, out.view());
  keep(out.view());
  std::vector<int32_t> labels(static_cast<size_t>(rows));
  std::vector<double> uniforms(labels.size(), 0.7), losses(labels.size());
  device.Sample(out.view(), uniforms, labels);
  device.LossBack(out.view(), labels, losses);
  keep(out.view());
  device.Fill(0, moment.view());
  device.AddMoment(x.view(), moment.view());
  device.AddSquares(x.view(), moment.view().Rows(0, 1));
  keep(moment.view());
  const auto in_heads = [&](const DeviceMatrix& m) { return Heads{m.view(), heads, dim, dim}; };
  const DeviceMatrix dq = random(width, 3), dk = random(width, 4), dv = random(width, 5);
  const AttentionParts parts{0.2f, 0, 130, 0};
  device.AttendBack(parts, in_heads(x), in_heads(w), in_heads(w), in_heads(x), in_heads(dq), in_heads(dk),
                    in_heads(dv));
  device.Attend(parts, in_heads(x), in_heads(w), in_heads(w), in_heads(x));
  for (const DeviceMatrix* m : {&x, &dq, &dk, &dv}) keep(m->view());
  return all;
}

TEST(CudaDevice, SameInputSameBits) {
  if (CudaCards().empty()) GTEST_SKIP() << "no CUDA here";
  ThreadPool pool(4);
  const auto device = MakeCudaDevice(0, pool);
  ASSERT_TRUE(device.ok()) << device.status();
  const std::vector<float> first = Step(**device);
  const DeviceMatrix other = OnDevice(**device, RandomFloats(3000 * 700, 8), 3000);  // other work, and other addresses
  const DeviceMatrix product(**device, DType::kF32, 3000, 3000);
  (*device)->Multiply(other.view(), {other.view()}, product.view());
  const std::vector<float> second = Step(**device);
  ASSERT_EQ(first.size(), second.size());
  EXPECT_EQ(std::memcmp(first.data(), second.data(), first.size() * sizeof(float)), 0);
}

}  // namespace
}  // namespace bitwright::worker
