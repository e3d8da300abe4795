// Runs jobs on one model in this process and prints, for each budget, every candidate, the time of each stage and
// the digest of the artifact's weights.
//   job_table MODEL_DIR CALIBRATION EVALUATION RECIPE THREADS BUDGET_BITS...   [CALIBRATION_TOKENS=65536
//   EVALUATION_TOKENS=32768]
#include <google/protobuf/text_format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "tests/support/local_job.h"

namespace {

int64_t FromEnvironment(const char* name, int64_t fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoll(text) : fallback;
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

void Print(const bitwright::worker::LocalJobs::Result& result) {
  std::printf("  reference perplexity %.4f\n", result.report.reference().perplexity());
  for (const auto& c : result.report.candidates()) {
    std::printf("  %-22s %.4f bits %10ld bytes  KL %.5f ± %.5f p99 %.3f  ppl %.4f  top1 %.4f  predicted %.5f%s\n",
                c.name().c_str(), c.average_bits(), static_cast<long>(c.artifact_bytes()), c.kl_divergence().mean(),
                c.kl_divergence().standard_error(), c.kl_divergence().p99(), c.perplexity(), c.top1_agreement(),
                c.predicted_loss(), c.name() == result.report.selected() ? "  <-" : "");
  }
  for (const auto& [kind, time] : result.stages) {
    std::printf("  %-10s %7.2f s  %d tasks, %d cached\n", kind.c_str(), time.seconds, time.tasks, time.cached);
  }
  for (const auto& file : result.report.artifact().files()) {
    if (file.path().ends_with(".safetensors"))
      std::printf("  %s %s\n", file.path().c_str(), file.digest().sha256().c_str());
  }
  std::printf("  %s\n  total %.2f s, allocation gap %.3g%s\n", result.report.verdict().c_str(), result.seconds,
              result.report.allocation().gap(), result.report.allocation().proved_optimal() ? " (proved)" : "");
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bitwright;
  using namespace bitwright::worker;
  if (argc < 7) return 2;
  const std::string dir = (std::filesystem::temp_directory_path() / "bitwright-job-table").string();
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  ThreadPool pool(std::atoi(argv[5]));
  LocalJobs jobs(dir, pool);
  const auto model = jobs.AddModel(argv[1]);
  if (!model.ok()) return Fail(model.status());
  auto recipe = ShippedRecipe(argv[4]);
  if (!recipe.ok()) return Fail(recipe.status());
  if (const char* more = std::getenv("RECIPE"); more != nullptr) {  // text format, merged over the named recipe
    v1::Recipe changes;
    if (!google::protobuf::TextFormat::ParseFromString(more, &changes)) return 2;
    recipe->MergeFrom(changes);
  }
  for (int i = 6; i < argc; ++i) {
    v1::JobSpec spec;
    spec.mutable_budget()->set_average_bits(std::atof(argv[i]));
    for (const auto& [data, path, tokens] :
         {std::tuple{spec.add_calibration(), argv[2], FromEnvironment("CALIBRATION_TOKENS", 65536)},
          std::tuple{spec.add_evaluation(), argv[3], FromEnvironment("EVALUATION_TOKENS", 32768)}}) {
      const auto blob = jobs.AddFile(path);
      if (!blob.ok()) return Fail(blob.status());
      *data->mutable_blob() = *blob;
      data->set_kind(v1::Data::TEXT);
      data->set_tokens(tokens);
    }
    const auto result = jobs.Run(*model, spec, *recipe);
    if (!result.ok()) return Fail(result.status());
    std::printf("%s at %s bits\n", argv[1], argv[i]);
    Print(*result);
    std::fflush(stdout);
  }
  std::filesystem::remove_all(dir);
  return 0;
}
