#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/support/device_values.h"
#include "tests/support/fixtures.h"
#include "tests/support/model_fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/model/gradient_run.h"

namespace bitwright::worker {
namespace {

// |got · factor − expected| over the largest expected element.
double Error(std::span<const float> expected, std::span<const float> got, double factor) {
  EXPECT_EQ(expected.size(), got.size());
  double largest = 0, error = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::fabs(double{expected[i]}));
    error = std::max(error, std::fabs(expected[i] - got[i] * factor));
  }
  return error / largest;
}

// Matrices of one model's gradients, by the name of their tensor.
class Collector {
 public:
  explicit Collector(Device& device) : device_(device) {}

  const Matrix& At(const std::string& name, int64_t rows, int64_t columns) {
    const auto [place, is_new] = all_.try_emplace(name, device_, DType::kF32, rows, columns);
    if (is_new) device_.Fill(0, place->second.view());
    return place->second.view();
  }
  const std::map<std::string, DeviceMatrix>& all() const { return all_; }

 private:
  Device& device_;
  std::map<std::string, DeviceMatrix> all_;
};

class GradientFixture : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto shared = SharedDir();
    if (!shared) GTEST_SKIP() << kNoSharedData;
    const std::string dir = *shared + "/fixtures/models/" + GetParam();
    ASSERT_OK_AND_ASSIGN(SafetensorsFile expected, SafetensorsFile::Open(dir + "/expected.safetensors", "expected"));
    ASSERT_OK_AND_ASSIGN(Model model, Model::Open(FilesOf(dir)));
    expected_.emplace(std::move(expected));
    model_.emplace(std::move(model));
    ASSERT_OK_AND_ASSIGN(const auto input, expected_->Find("input_ids"));
    ids_ = Ids(input);
    window_ = input.shape[1];
    runner_.emplace(*model_, window_, Compute::kF32, *device_);
  }

  ThreadPool pool_{2};
  std::unique_ptr<Device> device_ = MakeCpuDevice(pool_);
  std::optional<SafetensorsFile> expected_;
  std::optional<Model> model_;
  std::optional<BlockRunner> runner_;
  std::vector<int32_t> ids_;
  int64_t window_ = 0;
};

// Second moments of the gradients with respect to the outputs of linears, with the labels of the fixture.
TEST_P(GradientFixture, OutputMomentsAgreeWithTransformers) {
  Collector moments(*device_);
  GradientOptions options;
  ASSERT_OK_AND_ASSIGN(const auto labels, expected_->Find("labels"));
  options.labels = Ids(labels);
  const int64_t vocab = model_->config().vocab;
  options.logits = [&](const Matrix&, const Matrix& dlogits) {
    device_->AddMoment(dlogits, moments.At("lm_head", vocab, vocab));
  };
  const auto taps = [&](int64_t, const BlockWeights& weights) {
    GradientTaps of_block;
    of_block.linear = [&](const LinearGradient& linear) {
      int64_t first = 0;
      for (const LinearSpec& spec : weights.program.matrix(linear.matrix).linears) {
        device_->AddMoment(linear.gradient.Columns(first, spec.out), moments.At(spec.name, spec.out, spec.out));
        first += spec.out;
      }
    };
    return of_block;
  };
  ASSERT_OK_AND_ASSIGN(const auto result, RunGradients(*runner_, ids_, std::move(options), taps, [](double) {}));
  EXPECT_EQ(moments.all().size(), static_cast<size_t>(7 * model_->config().layers + 1));
  for (const auto& [name, moment] : moments.all()) {
    ASSERT_OK_AND_ASSIGN(const auto view, expected_->Find("G/" + name));
    const std::vector<float> expected = Floats(view);
    std::vector<float> got = Values(*device_, moment.view());
    const size_t n = static_cast<size_t>(moment.view().rows);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < i; ++j) got[i * n + j] = got[j * n + i];
    }
    EXPECT_LE(Error(expected, got, 1.0 / static_cast<double>(ids_.size())), 1e-4) << name;
  }
}

// The gradients of every parameter, of the mean loss over next tokens.
TEST_P(GradientFixture, ParametersAgreeWithTransformers) {
  Collector gradients(*device_);
  const ModelConfig& config = model_->config();
  GradientOptions options;
  options.labels.assign(ids_.begin() + 1, ids_.end());
  options.labels.push_back(-1);
  for (size_t i = 0; i < options.labels.size(); ++i) {
    if ((static_cast<int64_t>(i) + 1) % window_ == 0) options.labels[i] = -1;
  }
  options.logits = [&](const Matrix& hidden, const Matrix& dlogits) {
    device_->AddOuter(dlogits, hidden, 1, gradients.At(config.head.weight, config.vocab, config.hidden));
  };
  options.final_norm.weight = gradients.At(config.head.norm.weight, 1, config.hidden);
  const auto taps = [&](int64_t, const BlockWeights& weights) {
    GradientTaps of_block;
    of_block.linear = [&](const LinearGradient& linear) {
      int64_t first = 0;
      for (const LinearSpec& spec : weights.program.matrix(linear.matrix).linears) {
        device_->AddOuter(linear.gradient.Columns(first, spec.out), linear.input, linear.factor,
                          gradients.At(spec.name + ".weight", spec.out, spec.in));
        first += spec.out;
      }
    };
    of_block.norm = [&](const NormGradient& norm) {
      const size_t n = static_cast<size_t>(norm.norm);
      const NormSpec& spec = weights.program.norms[n];
      const Heads& x = norm.input;
      const DeviceMatrix ignored(*device_, DType::kF32, x.x.rows, x.x.columns);
      device_->Fill(0, ignored.view());
      device_->NormBack(x, PartsOf(spec, weights.norms[n]), norm.gradient, {ignored.view(), x.count, x.stride, x.dim},
                        {gradients.At(spec.weight, 1, spec.dim), {}});
    };
    return of_block;
  };
  ASSERT_OK_AND_ASSIGN(const auto result, RunGradients(*runner_, ids_, std::move(options), taps, [](double) {}));
  const double scored =
      static_cast<double>(ids_.size()) * static_cast<double>(window_ - 1) / static_cast<double>(window_);
  double loss = 0;
  for (const double token : result.losses) loss += token / scored;
  ASSERT_OK_AND_ASSIGN(const auto expected_loss, expected_->Find("loss"));
  double wanted = 0;
  std::memcpy(&wanted, expected_loss.bytes.data(), sizeof wanted);
  EXPECT_NEAR(loss, wanted, 1e-5);

  const Matrix& embedding = gradients.At(config.embedding.tokens, config.vocab, config.hidden);
  for (size_t t = 0; t < ids_.size(); ++t) {
    device_->Add(1, result.entering.view().Rows(static_cast<int64_t>(t), 1), embedding.Rows(ids_[t], 1));
  }
  for (const auto& [name, gradient] : gradients.all()) {
    ASSERT_OK_AND_ASSIGN(const auto view, expected_->Find("grad/" + name));
    EXPECT_LE(Error(Floats(view), Values(*device_, gradient.view()), 1 / scored), 1e-3) << name;
  }
  size_t in_fixture = 0;
  for (const auto& [name, view] : expected_->tensors()) in_fixture += name.starts_with("grad/");
  EXPECT_EQ(gradients.all().size(), in_fixture);
}

INSTANTIATE_TEST_SUITE_P(All, GradientFixture, ::testing::Values("llama-gqa", "qwen3"), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

class EveryFamily : public ::testing::TestWithParam<std::string> {};

// A step along the gradient of the embedded stream changes the loss as the gradient says.
TEST_P(EveryFamily, GradientIsTheSlopeOfTheLoss) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(FilesOf(*shared + "/fixtures/models/" + GetParam())));
  ThreadPool pool(2);
  const auto device = MakeCpuDevice(pool);
  const int64_t window = 20;
  BlockRunner runner(model, window, Compute::kF32, *device);
  std::vector<int32_t> ids(static_cast<size_t>(2 * window)), labels(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<int32_t>(3 + i * 37 % 250);
    labels[i] = static_cast<int32_t>(3 + i * 101 % 250);
  }
  GradientOptions options;
  options.labels = labels;
  ASSERT_OK_AND_ASSIGN(
      const auto result,
      RunGradients(
          runner, ids, std::move(options), [](int64_t, const BlockWeights&) { return GradientTaps(); }, [](double) {}));
  const std::vector<float> gradient = Values(*device, result.entering.view());
  const DeviceMatrix embedded = runner.Embed(ids);
  const std::vector<float> start = Values(*device, embedded.view());
  const OutputHead head(runner);
  const auto loss_at = [&](double step) {
    // Along the gradient, where the slope is as large as it gets.
    std::vector<float> moved = start;
    for (size_t i = 0; i < moved.size(); ++i) moved[i] += static_cast<float>(step * gradient[i]);
    const DeviceMatrix x = runner.NewStream(2), d = runner.NewStream(2);
    device->Write(moved, x.view());
    EXPECT_THAT(runner.RunBlocks(0, model.config().layers, x.view()), IsOk());
    model.FinalNorm(*device, x.view());
    std::vector<double> losses(ids.size());
    head.LossBack(x.view(), labels, losses, d.view());
    double sum = 0;
    for (const double loss : losses) sum += loss;
    return sum;
  };
  double square = 0;
  for (const float g : gradient) square += double{g} * g;
  // Small, because two of the models are steep, and in some a router is near a border.
  const double step = 0.001 / std::sqrt(square);
  const double slope = (loss_at(step) - loss_at(-step)) / (2 * step);
  EXPECT_NEAR(slope / square, 1, 0.01);
}

INSTANTIATE_TEST_SUITE_P(All, EveryFamily,
                         ::testing::Values("mistral-window", "gemma", "gemma2", "gemma3-text", "gpt2", "gpt-neox",
                                           "granite", "olmo2", "opt", "phi3-longrope", "mixtral", "qwen2-moe",
                                           "qwen3-moe"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// Of the model in the project: labels, losses and gradients are the same on any number of threads, and whether streams
// are kept or computed again.
TEST(Gradients, ThreadsAndMemoryChangeNoBit) {
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(FilesOf(SourcePath("deploy/sample"))));
  std::vector<int32_t> ids(4 * 32);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i * 37 % 4096);
  const auto run = [&](int threads, int64_t most_stream_bytes) {
    ThreadPool pool(threads);
    const auto device = MakeCpuDevice(pool);
    BlockRunner runner(model, 32, Compute::kF32, *device);
    GradientOptions options;
    options.seed = 7;
    options.most_stream_bytes = most_stream_bytes;
    const auto result = RunGradients(
        runner, ids, std::move(options), [](int64_t, const BlockWeights&) { return GradientTaps(); }, [](double) {});
    EXPECT_THAT(result, IsOk());
    return std::tuple(result->labels, result->losses, Values(*device, result->entering.view()));
  };
  const auto one = run(1, int64_t{1} << 30);
  EXPECT_EQ(run(3, int64_t{1} << 30), one);
  EXPECT_EQ(run(2, 0), one);
}

// Blocks in ranges, and windows in parts, as a job cuts them.
TEST(Gradients, RangesOfBlocksAndPartsOfWindowsChangeNoBit) {
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(FilesOf(SourcePath("deploy/sample"))));
  std::vector<int32_t> ids(4 * 32);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i * 37 % 4096);
  ThreadPool pool(2);
  const auto device = MakeCpuDevice(pool);
  BlockRunner runner(model, 32, Compute::kF32, *device);
  const auto no_taps = [](int64_t, const BlockWeights&) { return GradientTaps(); };
  ASSERT_OK_AND_ASSIGN(const auto whole, RunGradients(runner, ids, {}, no_taps, [](double) {}));
  const int64_t layers = model.config().layers, middle = layers / 2;

  GradientOptions options;
  options.begin = middle;
  options.entering = runner.Embed(ids);
  ASSERT_THAT(runner.RunBlocks(0, middle, options.entering.view()), IsOk());
  ASSERT_OK_AND_ASSIGN(auto back, RunGradients(runner, ids, std::move(options), no_taps, [](double) {}));
  EXPECT_EQ(back.labels, whole.labels);
  GradientOptions first;
  first.end = middle;
  first.leaving = std::move(back.entering);
  ASSERT_OK_AND_ASSIGN(const auto front, RunGradients(runner, ids, std::move(first), no_taps, [](double) {}));
  EXPECT_TRUE(front.labels.empty());
  EXPECT_EQ(Values(*device, front.entering.view()), Values(*device, whole.entering.view()));

  GradientOptions part;
  part.first_position = 64;
  ASSERT_OK_AND_ASSIGN(const auto behind,
                       RunGradients(runner, std::span(ids).subspan(64), std::move(part), no_taps, [](double) {}));
  EXPECT_EQ(behind.labels, std::vector<int32_t>(whole.labels.begin() + 64, whole.labels.end()));
}

TEST(UniformAt, IsSplitMix64) {
  EXPECT_DOUBLE_EQ(UniformAt(0, 0), static_cast<double>(0xe220a8397b1dcdafU >> 11) * 0x1p-53);
  double sum = 0;
  for (uint64_t i = 0; i < 4000; ++i) {
    const double u = UniformAt(3, i);
    EXPECT_TRUE(u >= 0 && u < 1);
    sum += u;
  }
  EXPECT_NEAR(sum / 4000, 0.5, 0.02);
}

}  // namespace
}  // namespace bitwright::worker
