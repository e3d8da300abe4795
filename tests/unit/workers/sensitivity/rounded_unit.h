#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proto/base/status_macros.h"
#include "tests/support/calibrated.h"
#include "tests/support/device_values.h"
#include "tests/support/fixtures.h"
#include "tests/support/small_model.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/quantize/unit_rounder.h"
#include "workers/sensitivity/curvature_file.h"
#include "workers/sensitivity/profile.h"

namespace bitwright::worker {

// The small model, calibrated, and what its units are once they are rounded: what profile and check are held to.
class RoundedUnits : public ::testing::Test {
 protected:
  static constexpr int64_t kWindow = 16, kWindows = 6;

  void SetUp() override {
    for (size_t i = 0; i < ids_.size(); ++i) ids_[i] = static_cast<int32_t>((i * i * 31 + i * 7) % 384);
    ASSERT_OK_AND_ASSIGN(Model model, Model::Open(SmallModel::Make().Write(dir_.path())));
    model_.emplace(std::move(model));
    runner_.emplace(*model_, kWindow, Compute::kF32, *device_);
    const DeviceMatrix x = runner_->Embed(ids_);
    ASSERT_OK_AND_ASSIGN(const auto statistics, CalibrateAll(*runner_, 0, 2, x.view()));
    ASSERT_THAT(WriteStatistics(dir_ / "statistics", statistics), IsOk());
    ASSERT_OK_AND_ASSIGN(StatisticsFile file, StatisticsFile::Open(dir_ / "statistics"));
    statistics_.emplace(std::move(file));
    ASSERT_OK_AND_ASSIGN(const auto curvature, RunCurvature(*runner_, ids_, {}, [](double) {}));
    ASSERT_THAT(WriteCurvature(dir_ / "curvature", curvature.units, kWindows * kWindow), IsOk());
    ASSERT_OK_AND_ASSIGN(CurvatureFiles files, CurvatureFiles::Open({dir_ / "curvature"}));
    curvature_.emplace(std::move(files));
    options_.rounding.act_order = true;
    options_.rounding.storage_type = DType::kBF16;
    options_.rounding.steps = options_.rounding.priced_steps;  // what is priced is what is rounded
    options_.checked_bits = {2};
    options_.formats = [](const UnitSpec&) {
      return std::vector<Format>{IntFormat{2, 32}, IntFormat{3, 32}, IntFormat{3, IntFormat::kChannel},
                                 IntFormat{8, 32}};
    };
  }

  std::vector<UnitSpec> Units() const {
    std::vector<UnitSpec> units;
    for (int64_t b = 0; b < 2; ++b) {
      for (const UnitSpec& unit : model_->config().block(b).units) units.push_back(unit);
    }
    return units;
  }

  std::vector<float> Original(const UnitSpec& unit) const {
    const DeviceMatrix weight(*device_, DType::kF32, unit.out(), unit.in());
    model_->LoadUnit(unit, *device_, weight.view());
    return Values(*device_, weight.view());
  }

  // As a consumer would see it.
  std::vector<float> Rounded(const UnitSpec& unit, const Format& format, const RoundingOptions& options) {
    const DeviceMatrix original = OnDevice(*device_, Original(unit), unit.out());
    const DeviceMatrix rounded(*device_, DType::kF32, unit.out(), unit.in());
    const auto input = statistics_->Read(unit.name);
    EXPECT_THAT(input, IsOk());
    const auto rounder = UnitRounder::Create(*input, options, *device_);
    EXPECT_THAT(rounder, IsOk());
    int64_t row = 0;
    for (const LinearSpec& linear : unit.linears) {
      const QuantizedLinear quantized = rounder->Round(original.view().Rows(row, linear.out), original.view(), format);
      WriteValues(quantized, format, DType::kBF16, *device_, rounded.view().Rows(row, linear.out));
      row += linear.out;
    }
    return Values(*device_, rounded.view());
  }

  TempDir dir_;
  ThreadPool pool_{2};
  std::unique_ptr<Device> device_ = MakeCpuDevice(pool_);
  std::vector<int32_t> ids_ = std::vector<int32_t>(static_cast<size_t>(kWindows * kWindow));
  std::optional<Model> model_;
  std::optional<BlockRunner> runner_;
  std::optional<StatisticsFile> statistics_;
  std::optional<CurvatureFiles> curvature_;
  ProfileOptions options_;
};

}  // namespace bitwright::worker
