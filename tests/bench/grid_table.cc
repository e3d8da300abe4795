// What rounding on a grid or a lattice costs a model: every linear on one, and the KL divergence after a plain search
// group by group, after feedback, after sweeps and after a re-fit (Rounding::RoundOnGrid, RoundOnLattice), beside the
// bits that it takes and the seconds that each rounding took.
//   grid_table MODEL_DIR CALIBRATION_TEXT EVALUATION_TEXT THREADS CALIBRATION_WINDOWS TYPE...
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <variant>

#include "absl/strings/str_format.h"
#include "proto/base/status_macros.h"
#include "tests/support/calibrated.h"
#include "workers/base/files.h"
#include "workers/evaluate/head_comparison.h"
#include "workers/evaluate/summary.h"
#include "workers/formats/block_type.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/kernels/grid.h"
#include "workers/kernels/lattice.h"
#include "workers/quantize/factor.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kWindow = 512;
constexpr int64_t kEvaluationWindows = 64;

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::vector<float> Integers(int first, int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(first + i));
  return values;
}

struct NamedGrid {
  double bits;
  std::variant<Grid, Lattice> values;
};

std::vector<float> Rounded(Rounding& rounding, const DeviceFactor& factor, const Matrix& weight, const Grid& grid,
                           const GridSteps& steps) {
  return ValuesOf(rounding.RoundOnGrid(factor, weight, grid, steps).codes, grid, weight.rows, weight.columns);
}
std::vector<float> Rounded(Rounding& rounding, const DeviceFactor& factor, const Matrix& weight, const Lattice& lattice,
                           const GridSteps& steps) {
  return ValuesOf(rounding.RoundOnLattice(factor, weight, lattice, steps).codes, lattice, weight.rows, weight.columns);
}

// A block type of GGUF by its name, or INT2_G128, INT3_G128 and INT4_G128: symmetric integers of a bf16 model.
absl::StatusOr<NamedGrid> FindGrid(std::string_view name) {
  static const auto& integers =
      *new std::vector<std::vector<float>>{Integers(-2, 4), Integers(-4, 8), Integers(-8, 16)};
  if (name.starts_with("INT")) {
    const int bits = name[3] - '0';
    Grid grid;
    grid.codebook = integers.at(static_cast<size_t>(bits - 2));
    grid.group = 128;
    grid.negative_scales = true;
    grid.scale_type = ScaleType::kBF16;
    grid.value_type = DType::kBF16;
    return NamedGrid{bits + 0.125, grid};
  }
  ABSL_ASSIGN_OR_RETURN(const BlockType type, ParseBlockType(name));
  if (OnLattice(type)) return NamedGrid{SpecOf(type).bits(), LatticeOf(type)};
  return NamedGrid{SpecOf(type).bits(), GridOf(type)};
}

constexpr GridSteps kEfforts[] = {{false, 0}, {true, 0}, {true, 3}, {true, 3, true, 2}};

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

  absl::StatusOr<Estimate> Measure(const NamedGrid& named, const GridSteps& steps, double& seconds) {
    const DeviceMatrix x = runner_.Embed(ids_);
    for (int64_t b = 0; b < model_.config().layers; ++b) {
      ABSL_ASSIGN_OR_RETURN(BlockWeights block, runner_.LoadBlock(b));
      for (size_t u = 0; u < block.program.units.size(); ++u) {
        const Matrix weight = block.matrices[u].weight.view();
        const InputStatistics& input = *inputs_.at(block.program.units[u].name);
        ABSL_ASSIGN_OR_RETURN(const auto factor, BuildFactor(input.second_moment.span(), input.columns, {}, device_));
        const double start = Now();
        const std::vector<float> values = std::visit(
            [&](const auto& of) { return Rounded(device_.rounding(), *factor, weight, of, steps); }, named.values);
        seconds += Now() - start;
        device_.Write(values, weight);
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
  std::printf("| grid | bits | search | + feedback | + sweeps | + re-fit | seconds |\n|---|---|---|---|---|---|---|\n");
  for (int i = 6; i < argc; ++i) {
    ABSL_ASSIGN_OR_RETURN(const NamedGrid named, FindGrid(argv[i]));
    std::printf("| %s | %.4g |", argv[i], named.bits);
    std::string times;
    for (const GridSteps& steps : kEfforts) {
      double seconds = 0;
      ABSL_ASSIGN_OR_RETURN(const Estimate kl, table.Measure(named, steps, seconds));
      std::printf(" %.4g ± %.2g |", kl.value, kl.standard_error);
      std::fflush(stdout);
      absl::StrAppendFormat(&times, "%s%.1f", times.empty() ? "" : ", ", seconds);
    }
    std::printf(" %s |\n", times.c_str());
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
