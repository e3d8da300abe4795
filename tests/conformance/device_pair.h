#pragma once

#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "tests/conformance/expected.h"
#include "workers/kernels/device.h"
#include "workers/kernels/reference/reference_device.h"

namespace bitwright::worker {

// One matrix on both devices: the same random values, of a part of a wider one.
struct Pair {
  DeviceMatrix tested, reference;
  int64_t first = 0, columns = 0;

  Matrix Tested() const { return tested.view().Columns(first, columns); }
  Matrix Expected() const { return reference.view().Columns(first, columns); }
};

class Bench {
 public:
  explicit Bench(Device& device) : device(device), plain(MakeReferenceDevice()) {}

  Pair Random(int64_t rows, int64_t columns, float scale = 1, int64_t margin = 3) {
    const int64_t width = columns + 2 * margin;
    const std::vector<float> values = RandomFloats(rows * width, seed_++, scale);
    Pair pair{{device, DType::kF32, rows, width}, {*plain, DType::kF32, rows, width}, margin, columns};
    device.Write(values, pair.tested.view());
    plain->Write(values, pair.reference.view());
    return pair;
  }

  // Not a number throughout the part: for what an operation must write.
  Pair Poisoned(int64_t rows, int64_t columns) {
    Pair pair = Random(rows, columns);
    device.Fill(std::numeric_limits<float>::quiet_NaN(), pair.Tested());
    plain->Fill(std::numeric_limits<float>::quiet_NaN(), pair.Expected());
    return pair;
  }

  // All of both, the margins too: nothing may be written beside the part.
  void ExpectEqual(const Pair& pair, double relative, double absolute, const char* what) {
    const Matrix& shape = pair.tested.view();
    std::vector<float> got(static_cast<size_t>(shape.rows * shape.columns)), expected(got.size());
    device.Read(shape, got);
    plain->Read(pair.reference.view(), expected);
    SCOPED_TRACE(what);
    for (size_t i = 0; i < got.size(); ++i)
      ExpectClose(got[i], expected[i], relative, absolute, static_cast<int64_t>(i));
  }

  Device& device;
  std::unique_ptr<Device> plain;

 private:
  uint32_t seed_ = 1;
};

// Compare, Sample and LossBack, in that order, on the logits of two models: base becomes its gradient with respect to
// `labels`. One number for each row everywhere.
void ExpectSameLogits(Bench& bench, const Pair& base, const Pair& other, std::span<const int32_t> targets,
                      std::span<const double> uniforms, std::span<const int32_t> labels);

inline Heads HeadsOf(const Matrix& x, int64_t count, int64_t stride, int64_t dim) { return {x, count, stride, dim}; }

}  // namespace bitwright::worker
