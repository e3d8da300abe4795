// How well sensitivities predict what one unit's rounding costs. Each unit is rounded alone at several widths, and the
// KL divergence of the whole model is measured on calibration windows; beside it stand predictions from one pass
// forward and one backward over the same windows. Prints for each prediction its rank and linear correlation with the
// measured values, and the ratio of the sums at each width.
//   sensitivity_table MODEL_DIR TEXT [WINDOWS=8] [CURVATURE_WINDOWS=WINDOWS] [THREADS=2]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <numeric>

#include "proto/base/status_macros.h"
#include "tests/support/calibrated.h"
#include "workers/base/files.h"
#include "workers/evaluate/head_comparison.h"
#include "workers/evaluate/summary.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/model/gradient_run.h"
#include "workers/quantize/unit_rounder.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {
namespace {

constexpr int kWidths[] = {2, 3, 4};
constexpr int64_t kWindow = 512;

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// One unit at one width.
struct Point {
  int bits = 0;
  double measured = 0;
  std::map<std::string, double> predicted;
};

// Second moments of the output gradients of one linear, [out, out].
using Moments = std::map<std::string, std::vector<float>>;

absl::StatusOr<Moments> OutputMoments(BlockRunner& runner, std::span<const int32_t> ids) {
  std::map<std::string, DeviceMatrix> sums;
  const auto taps = [&](int64_t, const BlockWeights& weights) {
    GradientTaps of_block;
    of_block.linear = [&](const LinearGradient& linear) {
      int64_t first = 0;
      for (const LinearSpec& spec : weights.program.matrix(linear.matrix).linears) {
        const auto [place, is_new] = sums.try_emplace(spec.name, runner.device(), DType::kF32, spec.out, spec.out);
        if (is_new) runner.device().Fill(0, place->second.view());
        runner.device().AddMoment(linear.gradient.Columns(first, spec.out), place->second.view());
        first += spec.out;
      }
    };
    return of_block;
  };
  ABSL_RETURN_IF_ERROR(RunGradients(runner, ids, {}, taps, [](double) {}).status());
  Moments moments;
  for (const auto& [name, matrix] : sums) {
    std::vector<float>& values = moments[name];
    values.resize(static_cast<size_t>(matrix.view().rows * matrix.view().rows));
    runner.device().Read(matrix.view(), values);
    for (float& value : values) value /= static_cast<float>(ids.size());
  }
  return moments;
}

// ½ tr(G ΔW H ΔWᵀ), G's upper triangle as given, and with the diagonal of G alone.
std::pair<double, double> Kronecker(Device& device, const std::vector<float>& g, std::span<const float> error,
                                    const Buffer<float>& h, int64_t out, int64_t in) {
  const DeviceMatrix dw(device, DType::kF32, out, in), moment(device, DType::kF32, in, in);
  const DeviceMatrix product(device, DType::kF32, out, in), square(device, DType::kF32, out, out);
  device.Write(error, dw.view());
  device.Write(h.span(), moment.view());
  device.Multiply(dw.view(), {moment.view()}, product.view());
  device.Multiply(product.view(), {dw.view()}, square.view());
  std::vector<float> m(static_cast<size_t>(out * out));
  device.Read(square.view(), m);
  double diagonal = 0, all = 0;
  for (int64_t i = 0; i < out; ++i) {
    diagonal += double{g[i * out + i]} * m[i * out + i];
    for (int64_t j = i + 1; j < out; ++j) all += 2.0 * g[i * out + j] * m[i * out + j];
  }
  return {(diagonal + all) / 2, diagonal / 2};
}

class Table {
 public:
  Table(const Model& model, ThreadPool& pool, Device& device)
      : model_(model), pool_(pool), device_(device), runner_(model, kWindow, Compute::kF32, device) {}

  absl::Status Run(std::span<const int32_t> ids, int64_t windows, int64_t curvature_windows) {
    const double start = Now();
    const DeviceMatrix calibrated = runner_.Embed(ids);
    const int64_t layers = model_.config().layers;
    ABSL_ASSIGN_OR_RETURN(const auto statistics, CalibrateAll(runner_, 0, layers, calibrated.view()));
    for (const UnitStatistics& unit : statistics) inputs_[unit.unit] = &unit.input;
    const double calibrate_end = Now();
    ABSL_ASSIGN_OR_RETURN(moments_,
                          OutputMoments(runner_, ids.first(static_cast<size_t>(curvature_windows * kWindow))));
    const double curvature_end = Now();
    ids_ = ids.first(static_cast<size_t>(windows * kWindow));
    reference_ = runner_.Embed(ids_);
    ABSL_RETURN_IF_ERROR(runner_.RunBlocks(0, layers, reference_.view()));
    model_.FinalNorm(device_, reference_.view());
    const DeviceMatrix x = runner_.Embed(ids_);
    for (int64_t b = 0; b < layers; ++b) {
      ABSL_ASSIGN_OR_RETURN(BlockWeights block, runner_.LoadBlock(b));
      for (size_t u = 0; u < block.program.units.size(); ++u) ABSL_RETURN_IF_ERROR(Unit(b, u, block, x.view()));
      runner_.Run(block, x.view());
    }
    std::printf("seconds: calibrate %.1f (%zu tokens), forward and backward with moments %.1f (%lld), measure %.1f\n",
                calibrate_end - start, ids.size(), curvature_end - calibrate_end,
                static_cast<long long>(curvature_windows * kWindow), Now() - curvature_end);
    return absl::OkStatus();
  }

  void Print() const {
    std::printf("| prediction | Spearman | Pearson of logarithms | sum / measured at");
    for (const int bits : kWidths) std::printf(" %d", bits);
    std::printf(" bits |\n|---|---|---|---|\n");
    for (const auto& [name, unused] : points_.front().predicted) {
      std::vector<double> measured, predicted;
      for (const Point& point : points_) {
        measured.push_back(std::log(std::max(point.measured, 1e-12)));
        predicted.push_back(std::log(std::max(point.predicted.at(name), 1e-12)));
      }
      std::printf("| %s | %.4f | %.4f |", name.c_str(), Correlation(Ranks(measured), Ranks(predicted)),
                  Correlation(measured, predicted));
      for (const int bits : kWidths) {
        double sum = 0, wanted = 0;
        for (const Point& point : points_) {
          if (point.bits != bits) continue;
          sum += point.predicted.at(name);
          wanted += point.measured;
        }
        std::printf(" %.3g", sum / wanted);
      }
      std::printf(" |\n");
    }
  }

 private:
  absl::Status Unit(int64_t b, size_t u, BlockWeights& block, const Matrix& x) {
    const UnitSpec& unit = block.program.units[u];
    const InputStatistics& input = *inputs_.at(unit.name);
    RoundingOptions options;
    options.act_order = true;
    options.storage_type = model_.UnitType(unit);
    ABSL_ASSIGN_OR_RETURN(const UnitRounder rounder, UnitRounder::Create(input, options, device_));
    const Buffer<float> h = input.Full();
    for (const int bits : kWidths) {
      const IntFormat format{bits, unit.in() % 128 == 0 ? 128 : 0};
      Point point{bits, 0, {}};
      DeviceMatrix rounded_weight(device_, DType::kF32, unit.out(), unit.in());
      int64_t row = 0;
      for (const LinearSpec& linear : unit.linears) {
        const size_t count = static_cast<size_t>(linear.out * linear.in);
        const Matrix own = block.matrices[u].weight.view().Rows(row, linear.out);
        const Matrix values = rounded_weight.view().Rows(row, linear.out);
        row += linear.out;
        const QuantizedLinear rounded = rounder.Round(own, own, format);
        WriteValues(rounded, format, options.storage_type, device_, values);
        std::vector<float> error(count), from(count), to(count);
        device_.Read(own, from);
        device_.Read(values, to);
        double plain = 0;
        for (size_t i = 0; i < count; ++i) {
          error[i] = from[i] - to[i];
          plain += double{error[i]} * error[i];
        }
        const auto [kronecker, diagonal] =
            Kronecker(device_, moments_.at(linear.name), error, h, linear.out, linear.in);
        point.predicted["weight-mse"] += plain;
        point.predicted["hessian-proxy"] += rounded.loss();
        point.predicted["kronecker"] += kronecker;
        point.predicted["kronecker, diagonal of G"] += diagonal;
      }
      const DeviceMatrix stream(device_, DType::kF32, x.rows, x.columns);
      device_.Copy(x, stream.view());
      std::swap(block.matrices[u].weight, rounded_weight);
      runner_.Run(block, stream.view());
      std::swap(block.matrices[u].weight, rounded_weight);
      ABSL_RETURN_IF_ERROR(runner_.RunBlocks(b + 1, model_.config().layers, stream.view()));
      model_.FinalNorm(device_, stream.view());
      HeadComparison head(runner_);
      const Matrix variants[] = {stream.view()};
      ABSL_ASSIGN_OR_RETURN(const EvaluationSummary summary,
                            Summarize(head.Compare(reference_.view(), variants, ids_).front(), kWindow - 1));
      point.measured = summary.kl.mean.value;
      points_.push_back(std::move(point));
    }
    return absl::OkStatus();
  }

  static std::vector<double> Ranks(const std::vector<double>& values) {
    std::vector<size_t> order(values.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (size_t i = 0; i < order.size(); ++i) ranks[order[i]] = static_cast<double>(i);
    return ranks;
  }

  static double Correlation(const std::vector<double>& a, const std::vector<double>& b) {
    const double n = static_cast<double>(a.size());
    const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
    const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      ab += (a[i] - mean_a) * (b[i] - mean_b);
      aa += (a[i] - mean_a) * (a[i] - mean_a);
      bb += (b[i] - mean_b) * (b[i] - mean_b);
    }
    return ab / std::sqrt(aa * bb);
  }

  const Model& model_;
  ThreadPool& pool_;
  Device& device_;
  BlockRunner runner_;
  std::span<const int32_t> ids_;
  std::map<std::string, const InputStatistics*> inputs_;
  Moments moments_;
  DeviceMatrix reference_;
  std::vector<Point> points_;
};

absl::Status RunTable(const std::string& dir, const std::string& text_path, int64_t windows, int64_t curvature_windows,
                      int threads) {
  ModelFiles files;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (entry.is_regular_file()) files.emplace(entry.path().filename().string(), entry.path().string());
  }
  ABSL_ASSIGN_OR_RETURN(const Model model, Model::Open(files));
  ABSL_ASSIGN_OR_RETURN(const std::string tokenizer_json, ReadFile(files.at("tokenizer.json").path));
  ABSL_ASSIGN_OR_RETURN(const auto tokenizer, Tokenizer::Load(tokenizer_json));
  ABSL_ASSIGN_OR_RETURN(const std::string text, ReadFile(text_path));
  ABSL_ASSIGN_OR_RETURN(std::vector<int32_t> ids, tokenizer->Encode(text, false));
  const int64_t whole = std::min<int64_t>(static_cast<int64_t>(ids.size()) / kWindow, 64);
  ids.resize(static_cast<size_t>(whole * kWindow));
  ThreadPool pool(threads);
  const auto device = MakeCpuDevice(pool);
  Table table(model, pool, *device);
  ABSL_RETURN_IF_ERROR(table.Run(ids, std::min(windows, whole), std::min(curvature_windows, whole)));
  table.Print();
  return absl::OkStatus();
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: sensitivity_table MODEL_DIR TEXT [WINDOWS] [CURVATURE_WINDOWS] [THREADS]\n");
    return 2;
  }
  const int windows = argc > 3 ? std::atoi(argv[3]) : 8;
  const absl::Status status = bitwright::worker::RunTable(
      argv[1], argv[2], windows, argc > 4 ? std::atoi(argv[4]) : windows, argc > 5 ? std::atoi(argv[5]) : 2);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
