#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "workers/formats/block_type.h"
#include "workers/kernels/reference/grid_rounding.h"

namespace bitwright::worker {
namespace {

double WeightedError(const std::vector<double>& weights, const std::vector<float>& values,
                     const std::vector<float>& importance) {
  double error = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double miss = weights[i] - values[i];
    error += importance[i % importance.size()] * miss * miss;
  }
  return error;
}

// ggml's own quantizers search block by block, weighted with the same importance.
TEST(BlockRoundingTest, IsNeverWorseThanGgmlsSearchBlockByBlock) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const BlockSpec& spec : BlockSpecs()) {
    if (OnLattice(spec.type)) continue;
    const FixtureTensors tensors =
        ReadFixture(*shared + "/fixtures/packing/gguf-ggml/" + std::string(spec.name) + ".safetensors");
    const FixtureTensor& in = Find(tensors, "in");
    const std::vector<float> values = in.As<float>(), importance = Find(tensors, "importance").As<float>();
    const std::vector<double> weights(values.begin(), values.end());
    const int64_t rows = in.shape[0], columns = in.shape[1];
    std::vector<double> moment(static_cast<size_t>(columns * columns));
    for (int64_t j = 0; j < columns; ++j) {
      moment[static_cast<size_t>(j * columns + j)] = importance[static_cast<size_t>(j)];
    }
    const Grid& grid = GridOf(spec.type);
    const GridProblem problem{rows, columns, weights, moment, {}, {}};
    const GridCodes codes = RoundOnGrid(problem, grid, {true, 3, true, 2}).codes;
    const double ours = WeightedError(weights, ValuesOf(codes, grid, rows, columns), importance);
    const double theirs = WeightedError(weights, Find(tensors, "importance/values").As<float>(), importance);
    EXPECT_LE(ours, theirs) << spec.name << ": " << ours / theirs;
    RecordProperty(std::string(spec.name), std::to_string(ours / theirs));
    std::printf("%s: %.3f of ggml's weighted error\n", std::string(spec.name).c_str(), ours / theirs);
  }
}

}  // namespace
}  // namespace bitwright::worker
