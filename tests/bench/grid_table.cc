// What rounding on a grid costs a model: every linear on one grid, and the KL divergence after a plain search group by
// group, after feedback, and after sweeps and re-fit (workers/kernels/reference/grid_rounding.h), each beside the bits
// that the grid takes.
//   grid_table MODEL_DIR CALIBRATION_TEXT EVALUATION_TEXT THREADS CALIBRATION_WINDOWS GRID...
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>

#include "proto/base/status_macros.h"
#include "tests/support/calibrated.h"
#include "workers/base/files.h"
#include "workers/evaluate/head_comparison.h"
#include "workers/evaluate/summary.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/kernels/reference/grid_rounding.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kWindow = 512;
constexpr int64_t kEvaluationWindows = 64;
constexpr double kDamping = 0.01;

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::vector<float> Integers(int first, int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(first + i));
  return values;
}

struct NamedGrid {
  double bits;
  Grid grid;
};

const std::map<std::string, NamedGrid>& Grids() {
  static const auto& two = *new std::vector<float>(Integers(0, 4));
  static const auto& three = *new std::vector<float>(Integers(-4, 8));
  static const auto& four = *new std::vector<float>(Integers(0, 16));
  static const auto& six = *new std::vector<float>(Integers(-32, 64));
  static const auto& uneven =
      *new std::vector<float>{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  static const auto& grids = *new std::map<std::string, NamedGrid>{
      {"Q2_K", {2.625, {two, 16, 256, 0, 15, 15, true, false, ScaleType::kF16, DType::kF32}}},
      {"Q3_K", {3.4375, {three, 16, 256, -32, 31, 0, false, true, ScaleType::kF16, DType::kF32}}},
      {"Q4_K", {4.5, {four, 32, 256, 0, 63, 63, true, false, ScaleType::kF16, DType::kF32}}},
      {"Q6_K", {6.5625, {six, 16, 256, -128, 127, 0, false, true, ScaleType::kF16, DType::kF32}}},
      {"IQ4_XS", {4.25, {uneven, 32, 256, -32, 31, 0, false, true, ScaleType::kF16, DType::kF32}}},
  };
  return grids;
}

std::vector<double> Damped(const InputStatistics& statistics) {
  const Buffer<float> full = statistics.Full();
  std::vector<double> h(full.span().begin(), full.span().end());
  const auto n = static_cast<size_t>(statistics.columns);
  double mean = 0;
  for (size_t j = 0; j < n; ++j) mean += h[j * n + j] / static_cast<double>(n);
  for (size_t j = 0; j < n; ++j) h[j * n + j] += kDamping * mean;
  return h;
}

enum class Effort { kStart, kFeedback, kAll };

class Table {
 public:
  Table(const Model& model, ThreadPool& pool, Device& device)
      : model_(model), pool_(pool), device_(device), runner_(model, kWindow, Compute::kF32, device) {}

  absl::Status Calibrate(std::span<const int32_t> ids) {
    const DeviceMatrix x = runner_.Embed(ids);
    ABSL_ASSIGN_OR_RETURN(statistics_, CalibrateAll(runner_, 0, model_.config().layers, x.view()));
    for (const UnitStatistics& unit : statistics_) inputs_[unit.unit] = &unit.input;
    return absl::OkStatus();
  }

  absl::Status Reference(std::span<const int32_t> ids) {
    ids_ = ids;
    reference_ = runner_.Embed(ids_);
    ABSL_RETURN_IF_ERROR(runner_.RunBlocks(0, model_.config().layers, reference_.view()));
    model_.FinalNorm(device_, reference_.view());
    return absl::OkStatus();
  }

  absl::StatusOr<Estimate> Measure(const Grid& grid, Effort effort) {
    const DeviceMatrix x = runner_.Embed(ids_);
    for (int64_t b = 0; b < model_.config().layers; ++b) {
      ABSL_ASSIGN_OR_RETURN(BlockWeights block, runner_.LoadBlock(b));
      for (size_t u = 0; u < block.program.units.size(); ++u) {
        const std::vector<double> h = Damped(*inputs_.at(block.program.units[u].name));
        Round(grid, effort, h, block.matrices[u].weight.view());
      }
      runner_.Run(block, x.view());
    }
    model_.FinalNorm(device_, x.view());
    HeadComparison head(runner_);
    const Matrix variants[] = {x.view()};
    ABSL_ASSIGN_OR_RETURN(const EvaluationSummary summary,
                          Summarize(head.Compare(reference_.view(), variants, ids_).front(), kWindow - 1));
    return summary.kl.mean;
  }

 private:
  // Rows do not touch each other where G = I: each thread takes its share of them.
  void Round(const Grid& grid, Effort effort, const std::vector<double>& h, const Matrix& weight) {
    const int64_t in = weight.columns, parts = pool_.threads();
    std::vector<float> weights(static_cast<size_t>(weight.rows * in));
    device_.Read(weight, weights);
    pool_.ParallelFor(parts, [&](int64_t part, int) {
      const int64_t begin = weight.rows * part / parts, rows = weight.rows * (part + 1) / parts - begin;
      const std::vector<double> w(weights.begin() + begin * in, weights.begin() + (begin + rows) * in);
      const GridProblem problem{rows, in, w, h, {}, {}};
      const GridSteps steps = effort == Effort::kAll ? GridSteps{3, true, 2} : GridSteps{0, false, 0};
      const GridCodes codes =
          effort == Effort::kStart ? StartOnGrid(problem, grid) : RoundOnGrid(problem, grid, steps).codes;
      std::ranges::copy(ValuesOf(codes, grid, rows, in), weights.begin() + begin * in);
    });
    device_.Write(weights, weight);
  }

  const Model& model_;
  ThreadPool& pool_;
  Device& device_;
  BlockRunner runner_;
  std::span<const int32_t> ids_;
  std::vector<UnitStatistics> statistics_;
  std::map<std::string, const InputStatistics*> inputs_;
  DeviceMatrix reference_;
};

absl::StatusOr<std::vector<int32_t>> Ids(const Tokenizer& tokenizer, const std::string& path, int64_t windows) {
  ABSL_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  ABSL_ASSIGN_OR_RETURN(std::vector<int32_t> ids, tokenizer.Encode(text, false));
  const int64_t whole = std::min(static_cast<int64_t>(ids.size()) / kWindow, windows);
  ids.resize(static_cast<size_t>(whole * kWindow));
  return ids;
}

absl::Status Run(int argc, char** argv) {
  ModelFiles files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    if (entry.is_regular_file()) files.emplace(entry.path().filename().string(), entry.path().string());
  }
  ABSL_ASSIGN_OR_RETURN(const Model model, Model::Open(files));
  ABSL_ASSIGN_OR_RETURN(const std::string tokenizer_json, ReadFile(files.at("tokenizer.json").path));
  ABSL_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::Load(tokenizer_json));
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> calibration, Ids(*tokenizer, argv[2], std::atoi(argv[5])));
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> evaluation, Ids(*tokenizer, argv[3], kEvaluationWindows));
  ThreadPool pool(std::atoi(argv[4]));
  const auto device = MakeCpuDevice(pool);
  Table table(model, pool, *device);
  ABSL_RETURN_IF_ERROR(table.Calibrate(calibration));
  ABSL_RETURN_IF_ERROR(table.Reference(evaluation));
  std::printf("| grid | bits | search | + feedback | + sweeps, re-fit | seconds |\n|---|---|---|---|---|---|\n");
  for (int i = 6; i < argc; ++i) {
    const NamedGrid& named = Grids().at(argv[i]);
    std::printf("| %s | %.4g |", argv[i], named.bits);
    double seconds[3];
    for (const Effort effort : {Effort::kStart, Effort::kFeedback, Effort::kAll}) {
      const double start = Now();
      ABSL_ASSIGN_OR_RETURN(const Estimate kl, table.Measure(named.grid, effort));
      seconds[static_cast<int>(effort)] = Now() - start;
      std::printf(" %.4g ± %.2g |", kl.value, kl.standard_error);
      std::fflush(stdout);
    }
    std::printf(" %.0f, %.0f, %.0f |\n", seconds[0], seconds[1], seconds[2]);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) {
  if (argc < 7) {
    std::fprintf(stderr, "usage: grid_table MODEL_DIR CALIBRATION EVALUATION THREADS CALIBRATION_WINDOWS GRID...\n");
    return 2;
  }
  const absl::Status status = bitwright::worker::Run(argc, argv);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
