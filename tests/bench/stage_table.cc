// Runs one job in this process and prints each stage's time beside its floor: the time that the stage's matrix products
// alone would take at the rate that oneDNN reaches on the same shapes in this run, on as many threads.
//   stage_table MODEL_DIR CALIBRATION EVALUATION BUDGET_BITS [THREADS=2]
#include <google/protobuf/text_format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <tuple>
#include <vector>

#include "tests/support/block_facts.h"
#include "tests/support/local_job.h"
#include "workers/base/files.h"
#include "workers/kernels/gemm.h"

namespace bitwright::worker {
namespace {

// One product shape: C[m,n] over k; trans_a as in the second moments.
using Shape = std::tuple<bool, int64_t, int64_t, int64_t>;
using Work = std::map<Shape, double>;  // shape → how many

constexpr int64_t kQueryTile = 128, kHeadRows = 64, kMomentTile = 256, kMomentRows = 4096;

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

struct Stage {
  const char* name;
  Work work;
};

std::vector<Stage> Stages(const ModelConfig& config, const v1::Report& report, double profile_windows) {
  const int64_t window = report.provenance().window() > 0 ? report.provenance().window() : 512;
  const double layers = static_cast<double>(config.layers);
  const double eval_windows = static_cast<double>(report.scored_tokens()) / static_cast<double>(window - 1);
  const double calibration_windows = 65536.0 / static_cast<double>(window);
  const double candidates = report.candidates_size();
  const double variants = 8;  // of one block: four units at two widths
  std::vector<Stage> stages = {{"reference", {}}, {"calibrate", {}}, {"profile", {}}, {"evaluate", {}}};
  AddBlocks(config, window, layers * (eval_windows + profile_windows), stages[0].work);
  AddBlocks(config, window, layers * calibration_windows, stages[1].work);
  AddMoments(config, 65536, stages[1].work);
  const double block_runs = variants * layers * (layers + 1) / 2;
  AddBlocks(config, window, block_runs * profile_windows, stages[2].work);
  AddHeads(config, profile_windows * static_cast<double>(window) * layers * (variants + 1), stages[2].work);
  AddBlocks(config, window, candidates * layers * eval_windows, stages[3].work);
  AddHeads(config, 2 * candidates * eval_windows * static_cast<double>(window), stages[3].work);
  return stages;
}

int Run(int argc, char** argv) {
  if (argc < 5) return 2;
  ThreadPool pool(argc > 5 ? std::atoi(argv[5]) : 2);
  const std::string dir = (std::filesystem::temp_directory_path() / "bitwright-stage-table").string();
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  LocalJobs jobs(dir, pool);
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
  for (const auto& [data, path] :
       {std::pair{spec.mutable_calibration(), argv[2]}, {spec.mutable_evaluation(), argv[3]}}) {
    const auto blob = jobs.AddFile(path);
    if (!blob.ok()) return fail(blob.status());
    *data->mutable_blob() = *blob;
    data->set_kind(v1::Data::TEXT);
  }
  const auto result = jobs.Run(*model, spec, *recipe);
  if (!result.ok()) return fail(result.status());
  const auto config_text = ReadFile(std::string(argv[1]) + "/config.json");
  if (!config_text.ok()) return fail(config_text.status());
  const auto config = ParseModelConfig(*config_text);
  if (!config.ok()) return fail(config.status());

  std::map<Shape, double> rates;
  std::printf("| stage | tasks | seconds | floor, seconds | floor / time | TFLOP |\n|---|---|---|---|---|---|\n");
  for (const Stage& stage : Stages(*config, result->report, recipe->sensitivity().windows())) {
    double floor = 0, flops = 0;
    for (const auto& [shape, count] : stage.work) {
      if (!rates.contains(shape)) rates[shape] = Rate(shape, pool);
      floor += count * Flops(shape) / rates[shape];
      flops += count * Flops(shape);
    }
    const auto& time = result->stages.at(stage.name);
    std::printf("| %s | %d | %.2f | %.2f | %.2f | %.2f |\n", stage.name, time.tasks, time.seconds, floor,
                floor / time.seconds, flops / 1e12);
  }
  for (const char* name : {"tokenize", "allocate", "quantize", "select", "assemble"}) {
    const auto& time = result->stages.at(name);
    std::printf("| %s | %d | %.2f | | | |\n", name, time.tasks, time.seconds);
  }
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("| all | | %.2f | | | |\n\npeak memory %.2f GiB; model %.2f GiB; %d threads; KL divergence %.5f nats\n",
              result->seconds, static_cast<double>(usage.ru_maxrss) / (1 << 20),
              static_cast<double>(model->info().model_bytes()) / (1 << 30), pool.threads(),
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
