// Runs one job in this process and prints each stage's time beside two floors: the time that the matrix products of its
// algorithm alone would take, and those of the least work that is known to give the same answer, at the rate that
// oneDNN reaches on the same shapes in this run, on as many threads; and the peak of its memory beside the estimate.
//   stage_table MODEL_DIR CALIBRATION EVALUATION BUDGET_BITS [THREADS=2] [WORKER]
// Data that ends in .jsonl holds ids. With WORKER, the path of a bitwright-worker, each task has a process of its own.
#include <google/protobuf/text_format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <tuple>
#include <vector>

#include "server/jobs/cuts.h"
#include "tests/support/block_facts.h"
#include "tests/support/local_job.h"
#include "workers/base/files.h"
#include "workers/kernels/gemm.h"

namespace bitwright::worker {
namespace {

// One product shape: C[m,n] over k; trans_a as in the second moments.
using Shape = std::tuple<bool, int64_t, int64_t, int64_t>;
using Work = std::map<Shape, double>;  // shape → how many

constexpr int64_t kQueryTile = 128, kHeadRows = 64, kMomentTile = 256, kMomentRows = 4096, kRoundColumns = 128,
                  kRoundRows = 64;

double Flops(const Shape& s) {
  return 2.0 * static_cast<double>(std::get<1>(s)) * static_cast<double>(std::get<2>(s)) *
         static_cast<double>(std::get<3>(s));
}

// FLOP/s of all threads together, each with matrices of its own.
double Rate(const Shape& shape, ThreadPool& pool) {
  const auto [trans_a, m, n, k] = shape;
  std::vector<std::vector<float>> a, b, c;
  for (int t = 0; t < pool.threads(); ++t) {
    a.emplace_back(static_cast<size_t>(m * k), 0.5f);
    b.emplace_back(static_cast<size_t>(n * k), 0.25f);
    c.emplace_back(static_cast<size_t>(m * n));
  }
  const int64_t repeats = static_cast<int64_t>(6e9 / Flops(shape)) + 2;
  double best = 0;
  for (int round = 0; round < 4; ++round) {  // the first one warms up
    const auto start = std::chrono::steady_clock::now();
    pool.ParallelFor(pool.threads(), [&, trans_a = trans_a, m = m, n = n, k = k](int64_t, int slot) {
      const size_t t = static_cast<size_t>(slot);
      for (int64_t i = 0; i < repeats; ++i) {
        GemmF32(trans_a, !trans_a, m, n, k, 1.0f, a[t].data(), trans_a ? m : k, b[t].data(), trans_a ? n : k, 0.0f,
                c[t].data(), n);
      }
    });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (round > 0) best = std::max(best, Flops(shape) * static_cast<double>(repeats * pool.threads()) / seconds);
  }
  return best;
}

void AddBlocks(const ModelConfig& config, int64_t window, double windows, Work& work) {
  const BlockProgram block = config.block(0);
  const BlockFacts facts = FactsOf(block);
  for (const UnitSpec& unit : block.units) work[{false, window, unit.out(), unit.in()}] += windows;
  for (int64_t first = 0; first < window; first += kQueryTile) {
    const int64_t rows = std::min(kQueryTile, window - first);
    work[{false, rows, first + rows, facts.head_dim}] += windows * static_cast<double>(facts.heads);
    work[{false, rows, facts.head_dim, first + rows}] += windows * static_cast<double>(facts.heads);
  }
}

void AddHeads(const ModelConfig& config, double tokens, Work& work) {
  work[{false, kHeadRows, config.vocab, config.hidden}] += tokens / kHeadRows;
}

void AddMoments(const ModelConfig& config, double tokens, Work& work) {
  const int64_t rows = kMomentRows;
  for (const UnitSpec& unit : config.block(0).units) {
    for (int64_t i = 0; i < unit.in(); i += kMomentTile) {
      for (int64_t j = i; j < unit.in(); j += kMomentTile) {
        work[{true, std::min(kMomentTile, unit.in() - i), std::min(kMomentTile, unit.in() - j), rows}] +=
            tokens / static_cast<double>(rows) * static_cast<double>(config.layers);
      }
    }
  }
}

// The products of rounding: each block of columns against the errors of all before it.
void AddRounding(const ModelConfig& config, double formats, Work& work) {
  for (const UnitSpec& unit : config.block(0).units) {
    work[{true, kRoundColumns, kRoundRows, std::max<int64_t>(1, unit.in() / 2)}] +=
        formats * static_cast<double>(config.layers) * static_cast<double>(unit.out()) / kRoundRows *
        static_cast<double>(unit.in()) / kRoundColumns;
  }
}

void AddScaled(const Work& from, double factor, Work& to) {
  for (const auto& [shape, count] : from) to[shape] += factor * count;
}

struct Stage {
  const char* name;
  Work work;
  Work least = {};  // where it is another
};

// Of units that were measured alone: the passes from their blocks to the head.
void AddChecks(const ModelConfig& config, int64_t window, const v1::ModelInfo& info, const v1::Recipe& recipe,
               Work& work) {
  const double windows = recipe.sensitivity().windows();
  const double formats = 1 + recipe.sensitivity().checked_bits_size();
  double passes = 0, count = 0;
  for (const int unit : server::CheckedUnits(info, recipe.sensitivity().checked_units())) {
    passes += formats * static_cast<double>(config.layers - info.units(unit).block());
    count += formats;
  }
  AddBlocks(config, window, windows * passes, work);
  AddHeads(config, windows * static_cast<double>(window) * (count + 1), work);
}

std::vector<Stage> Stages(const ModelConfig& config, const v1::ModelInfo& info, const LocalJobs::Result& result,
                          const v1::Recipe& recipe) {
  const v1::Report& report = result.report;
  const int64_t window = result.calibration.window();
  const double layers = static_cast<double>(config.layers);
  const double eval_windows = static_cast<double>(report.scored_tokens()) / static_cast<double>(window - 1);
  const double calibration_windows = result.calibration.windows();
  const double profile_windows = recipe.sensitivity().windows();
  const double candidates = report.candidates_size();
  const double trials = report.choice().trials_size();
  const double held_out = static_cast<double>(report.choice().scored_tokens()) / static_cast<double>(window - 1);
  Stage reference{"reference", {}}, calibrate{"calibrate", {}}, curvature{"curvature", {}}, profile{"profile", {}},
      check{"check", {}}, evaluate{"evaluate", {}};
  AddBlocks(config, window, layers * (eval_windows + held_out + profile_windows), reference.work);
  AddBlocks(config, window, layers * calibration_windows, calibrate.work);
  AddMoments(config, calibration_windows * static_cast<double>(window), calibrate.work);
  // Forward, forward once more for what the way back reads, and two products back for each forward.
  Work once;
  AddBlocks(config, window, layers * profile_windows, once);
  AddScaled(once, 4, curvature.work);
  AddHeads(config, 3 * profile_windows * static_cast<double>(window), curvature.work);
  AddScaled(once, 3, curvature.least);
  AddHeads(config, 3 * profile_windows * static_cast<double>(window), curvature.least);
  AddRounding(config, static_cast<double>(info.targets(0).units(0).options_size()), profile.work);
  AddChecks(config, window, info, recipe, check.work);
  const double evaluated = candidates * eval_windows + trials * held_out;
  AddBlocks(config, window, layers * evaluated, evaluate.work);
  AddHeads(config, 2 * evaluated * static_cast<double>(window), evaluate.work);
  return {reference, calibrate, curvature, profile, check, evaluate};
}

double Floor(const Work& work, std::map<Shape, double>& rates, ThreadPool& pool) {
  double floor = 0;
  for (const auto& [shape, count] : work) {
    if (!rates.contains(shape)) rates[shape] = Rate(shape, pool);
    floor += count * Flops(shape) / rates[shape];
  }
  return floor;
}

double GiB(int64_t bytes) { return static_cast<double>(bytes) / (1 << 30); }

int Run(int argc, char** argv) {
  if (argc < 5) return 2;
  ThreadPool pool(argc > 5 ? std::atoi(argv[5]) : 2);
  const std::string dir = (std::filesystem::temp_directory_path() / "bitwright-stage-table").string();
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  LocalJobs jobs(dir, pool, argc > 6 ? argv[6] : "");
  const auto fail = [](const absl::Status& status) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  };
  const auto model = jobs.AddModel(argv[1]);
  if (!model.ok()) return fail(model.status());
  auto recipe = ShippedRecipe("mixed-gptq");
  if (!recipe.ok()) return fail(recipe.status());
  if (const char* more = std::getenv("RECIPE"); more != nullptr) {  // text format, merged over the named recipe
    v1::Recipe changes;
    if (!google::protobuf::TextFormat::ParseFromString(more, &changes)) return 2;
    recipe->MergeFrom(changes);
  }
  v1::JobSpec spec;
  spec.mutable_budget()->set_average_bits(std::atof(argv[4]));
  for (const auto& [data, path] : {std::pair{spec.add_calibration(), argv[2]}, {spec.add_evaluation(), argv[3]}}) {
    const auto blob = jobs.AddFile(path);
    if (!blob.ok()) return fail(blob.status());
    *data->mutable_blob() = *blob;
    const bool ids = std::string_view(path).ends_with(".jsonl");
    data->set_kind(ids ? v1::Data::TOKEN_IDS_JSONL : v1::Data::TEXT);
    if (const char* window = std::getenv("WINDOW"); window != nullptr) data->set_window(std::atoi(window));
  }
  const auto result = jobs.Run(*model, spec, *recipe);
  if (!result.ok()) return fail(result.status());
  const auto config_text = ReadFile(std::string(argv[1]) + "/config.json");
  if (!config_text.ok()) return fail(config_text.status());
  const auto config = ParseModelConfig(*config_text);
  if (!config.ok()) return fail(config.status());

  std::map<Shape, double> rates;
  std::printf("| stage | tasks | seconds | floor / time | least / time | peak, GiB | estimate, GiB |\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  for (const Stage& stage : Stages(*config, model->info(), *result, *recipe)) {
    const auto& time = result->stages.at(stage.name);
    const double floor = Floor(stage.work, rates, pool);
    const double least = stage.least.empty() ? floor : Floor(stage.least, rates, pool);
    std::printf("| %s | %d | %.2f | %.2f | %.2f | %.2f | %.2f |\n", stage.name, time.tasks, time.seconds,
                floor / time.seconds, least / time.seconds, GiB(time.peak_bytes), GiB(time.estimate_bytes));
  }
  for (const char* name : {"tokenize", "allocate", "quantize", "select", "assemble"}) {
    const auto& time = result->stages.at(name);
    std::printf("| %s | %d | %.2f | | | %.2f | %.2f |\n", name, time.tasks, time.seconds, GiB(time.peak_bytes),
                GiB(time.estimate_bytes));
  }
  int64_t peak = 0;
  for (const auto& [kind, time] : result->stages) peak = std::max(peak, time.peak_bytes);
  std::printf("| all | | %.2f | | | | |\n\npeak memory %.2f GiB; model %.2f GiB; %d threads; KL divergence %.5f nats\n",
              result->seconds, GiB(peak), static_cast<double>(model->info().model_bytes()) / (1 << 30), pool.threads(),
              result->report.candidates(0).kl_divergence().mean());
  for (const auto& c : result->report.candidates()) {
    std::printf("%-22s %.4f bits KL %.5f ± %.5f ppl %.4f%s\n", c.name().c_str(), c.average_bits(),
                c.kl_divergence().mean(), c.kl_divergence().standard_error(), c.perplexity(),
                c.name() == result->report.selected() ? "  <-" : "");
  }
  std::filesystem::remove_all(dir);
  return 0;
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) { return bitwright::worker::Run(argc, argv); }
