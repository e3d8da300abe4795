#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "tests/unit/workers/quantize/cpu_rounder.h"
#include "workers/tensor/packed_triangle.h"

// Codes and scales that an independent float64 program computed.
namespace bitwright::worker {
namespace {

struct Golden {
  explicit Golden(const std::string& path) : tensors(ReadFixture(path)) {
    weights = Find(tensors, "W").ToFloat();
    out = Find(tensors, "W").shape[0];
    in = Find(tensors, "W").shape[1];
    if (tensors.contains("H_packed")) {
      packed = Find(tensors, "H_packed").ToFloat();
      return;
    }
    const std::vector<double> moment64 = Find(tensors, "H").ToDouble();
    packed.resize(static_cast<size_t>(PackedTriangleSize(in)));
    PackTriangle(std::vector<float>(moment64.begin(), moment64.end()), in, packed);
  }
  FixtureTensors tensors;
  std::vector<float> weights, packed;
  int64_t out = 0, in = 0;
};

// One set of expected codes: "ct/b3/g32/gptq-static-actorder".
struct Case {
  std::string name;
  IntFormat format;
};

std::vector<Case> Cases(const Golden& golden) {
  std::vector<Case> cases;
  for (const int bits : {3, 4}) {
    for (const int group : {32, 128}) {
      for (const char* method : {"rtn", "gptq-static", "gptq-dynamic", "gptq-static-actorder"}) {
        const std::string name = "ct/b" + std::to_string(bits) + "/g" + std::to_string(group) + "/" + method;
        if (!golden.tensors.contains(name + "/codes")) continue;
        cases.push_back({name, {bits, group}});
      }
    }
  }
  return cases;
}

// Rows that are not fragile must agree. Returns how many rows were compared.
int CompareRows(const Golden& golden, const Case& c, const std::string& codes_name, const std::vector<uint8_t>& fragile,
                const RoundedLinear& rounded) {
  const std::vector<int8_t> codes = Find(golden.tensors, c.name + codes_name).As<int8_t>();
  const std::vector<float> scales = Find(golden.tensors, c.name + "/scales").ToFloat();
  const int64_t groups = c.format.Groups(golden.in);
  int compared = 0;
  for (int64_t r = 0; r < golden.out; ++r) {
    if (!fragile.empty() && fragile[r]) continue;
    ++compared;
    for (int64_t j = 0; j < golden.in; ++j) {
      EXPECT_EQ(int{rounded.codes[r * golden.in + j]}, int{codes[r * golden.in + j]}) << c.name << " " << r << "," << j;
    }
    for (int64_t g = 0; g < groups; ++g) {
      const float expected = scales[r * groups + g], found = rounded.scales[r * groups + g];
      if (expected == 1.0f && found == 0x1p-23f) continue;  // all-zero group: the fixture writes 1
      EXPECT_NEAR(found, expected, 4e-6 * expected) << c.name << " row " << r << " group " << g;
    }
  }
  return compared;
}

void CheckRtn(const Golden& golden, const Case& c) {
  const RoundedLinear rounded = CpuRounder().Nearest(golden.weights, golden.out, c.format);
  // the library's own float32 quotient, every row
  CompareRows(golden, c, "/codes_library", {}, rounded);
}

// The reference counts a dead input as 1 in the mean that sets the damping, and places it so in the order of columns;
// we leave it out of the mean and place it last. Its codes are therefore compared at the damping that it adds, and its
// order over live inputs: with these alike, a dead input changes no other's codes.
double ReferenceDamping(const Golden& golden) {
  double sum = 0;
  int64_t live = 0;
  for (int64_t j = 0; j < golden.in; ++j) {
    const float value = golden.packed[PackedTriangleIndex(golden.in, j, j)];
    sum += value;
    live += value != 0;
  }
  const double counted = sum + static_cast<double>(golden.in - live);
  return 0.01 * counted / static_cast<double>(golden.in) / (sum / static_cast<double>(live));
}

std::vector<int32_t> LiveOnly(const std::vector<int32_t>& order, const FactorHead& factor) {
  std::vector<int32_t> live;
  for (const int32_t column : order) {
    if (factor.dead[column] == 0) live.push_back(column);
  }
  return live;
}

int CheckGptq(const Golden& golden, const Case& c) {
  CpuRounder cpu;
  const bool act_order = c.name.ends_with("-actorder");
  const bool static_groups = c.name.find("-static") != std::string::npos;
  const FactorOptions factoring{.act_order = act_order, .damping = ReferenceDamping(golden)};
  const auto head = BeginFactor(golden.packed, golden.in, factoring);
  const auto factor = BuildFactor(golden.packed, golden.in, factoring, *cpu.device);
  EXPECT_TRUE(head.ok() && factor.ok()) << factor.status();
  const std::vector<int32_t> order = Find(golden.tensors, c.name + "/perm").As<int32_t>();
  EXPECT_EQ(LiveOnly(head->order, *head), LiveOnly(order, *head)) << c.name;
  const LdlqOptions options{.scales = ScaleMethod::kAbsMax, .static_groups = static_groups};
  const RoundedLinear rounded = cpu.Ldlq(**factor, golden.weights, golden.out, c.format, DType::kF32, options);
  const std::vector<int32_t> groups = Find(golden.tensors, c.name + "/g_idx").As<int32_t>();
  for (int64_t j = 0; j < golden.in; ++j) {
    EXPECT_EQ(j / c.format.group_size, groups[j]) << c.name;
  }
  const std::vector<uint8_t> fragile = Find(golden.tensors, c.name + "/fragile").As<uint8_t>();
  const std::vector<double> losses = Find(golden.tensors, c.name + "/row_loss").ToDouble();
  for (int64_t r = 0; r < golden.out; ++r) {
    if (fragile[r]) continue;
    EXPECT_NEAR(rounded.row_loss[r], losses[r], 2e-4 * losses[r]) << c.name << " row " << r;
  }
  return CompareRows(golden, c, "/codes", fragile, rounded);
}

// Returns how many GPTQ rows were compared.
int CheckFile(const std::string& path) {
  SCOPED_TRACE(path);
  const Golden golden(path);
  int compared = 0;
  for (const Case& c : Cases(golden)) {
    if (c.name.ends_with("/rtn")) {
      CheckRtn(golden, c);
    } else {
      compared += CheckGptq(golden, c);
    }
  }
  return compared;
}

TEST(GoldenRoundingTest, EqualsTheReferenceOnAllRowsThatAreNotFragile) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  int compared = 0;
  for (const char* file : {"well-conditioned", "rank-deficient", "dead-inputs", "real"}) {
    compared += CheckFile(*shared + "/fixtures/rounding/" + file + ".safetensors");
  }
  EXPECT_EQ(compared, 693);  // of 768 rows in the cases that the product can take
}

// The fixture is the reference of the vector loops: every instruction set that this machine has must meet it.
TEST(GoldenRoundingTest, TheCopyBesideTheTestsOnEveryInstructionSet) {
  const int64_t all = hwy::SupportedTargets();
  int tried = 0;
  for (int64_t rest = all; rest != 0; rest &= rest - 1, ++tried) {
    const int64_t target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().DeInit();
    EXPECT_GT(CheckFile(SourcePath("tests/golden/quantize/dead-inputs.safetensors")), 25);
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
  EXPECT_GE(tried, 1);
}

}  // namespace
}  // namespace bitwright::worker
