#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "workers/formats/block_type.h"
#include "workers/kernels/reference/grid_rounding.h"
#include "workers/kernels/reference/lattice_rounding.h"

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

std::vector<float> Rounded(BlockType type, const GridProblem& problem) {
  const GridSteps steps{true, 3, true, 2};
  if (OnLattice(type)) {
    const Lattice& lattice = LatticeOf(type);
    return ValuesOf(RoundOnLattice(problem, lattice, steps).codes, lattice, problem.rows, problem.columns);
  }
  const Grid& grid = GridOf(type);
  return ValuesOf(RoundOnGrid(problem, grid, steps).codes, grid, problem.rows, problem.columns);
}

// ggml's own quantizers search block by block, weighted with the same importance.
TEST(BlockRoundingTest, IsNeverWorseThanGgmlsSearchBlockByBlock) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const BlockSpec& spec : BlockSpecs()) {
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
    const double ours =
        WeightedError(weights, Rounded(spec.type, {rows, columns, weights, moment, {}, {}}), importance);
    const double theirs = WeightedError(weights, Find(tensors, "importance/values").As<float>(), importance);
    EXPECT_LE(ours, theirs) << spec.name << ": " << ours / theirs;
    RecordProperty(std::string(spec.name), std::to_string(ours / theirs));
    std::printf("%s: %.3f of ggml's weighted error\n", std::string(spec.name).c_str(), ours / theirs);
  }
}

}  // namespace
}  // namespace bitwright::worker
