#include "workers/kernels/reference/lattice_rounding.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "tests/conformance/rounding_problem.h"
#include "tests/conformance/sample_lattices.h"
#include "workers/kernels/reference/lattice_octet.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

using LatticeRoundingTest = RoundingProblemTest;

TEST_F(LatticeRoundingTest, NeverRaisesTheObjectiveAndStatesItTruly) {
  for (const Lattice& lattice : SampleLattices()) {
    for (const bool both : {false, true}) {
      SCOPED_TRACE(testing::Message() << "points of " << lattice.size << (lattice.even_signs ? ", even" : "")
                                      << (both ? ", both sides" : ""));
      const GridProblem problem = Problem(both);
      const LatticeRounding rounded = RoundOnLattice(problem, lattice, {true, 3, true, 2});
      ASSERT_EQ(rounded.objective.size(), 8u);
      for (size_t k = 1; k < rounded.objective.size(); ++k) {
        EXPECT_LE(rounded.objective[k], rounded.objective[k - 1] * (1 + 1e-12)) << k;
      }
      EXPECT_NEAR(rounded.objective.back(), Objective(problem, lattice, rounded.codes),
                  1e-9 * rounded.objective.front());
      EXPECT_LT(rounded.objective[1], rounded.objective[0]);
      EXPECT_LT(rounded.objective.back(), 0.7 * rounded.objective.front());
    }
  }
}

// With H and G diagonal nothing can make up for an error: feedback gives the nearest points.
TEST_F(LatticeRoundingTest, FeedsNothingBackThroughDiagonalMoments) {
  for (int64_t j = 0; j < kColumns * kColumns; ++j) {
    if (j % (kColumns + 1) != 0) moment_[static_cast<size_t>(j)] = 0;
  }
  const GridProblem problem = Problem(false);
  for (const Lattice& lattice : SampleLattices()) {
    if (lattice.even_signs) continue;  // there a change of two signs may be better than what the start has
    const LatticeRounding fed = RoundOnLattice(problem, lattice, {true, 0});
    const LatticeCodes start = StartOnLattice(problem, lattice);
    EXPECT_EQ(fed.codes.points, start.points);
    EXPECT_EQ(fed.codes.signs, start.signs);
  }
}

TEST_F(LatticeRoundingTest, StoresWhatTheLatticeCanStore) {
  for (const Lattice& lattice : SampleLattices()) {
    const LatticeCodes codes = RoundOnLattice(Problem(false), lattice, {true, 2, true, 1}).codes;
    for (const float scale : codes.scales) EXPECT_EQ(scale, StoredScale(ScaleType::kF16, scale));
    for (const int s : codes.sub_scales) EXPECT_LE(s, lattice.most_scale);
    for (const int point : codes.points) EXPECT_LT(point, lattice.count());
    for (const uint8_t signs : codes.signs) EXPECT_TRUE(!lattice.even_signs || std::popcount(signs) % 2 == 0);
  }
}

double Cost(const OctetForm& form, const double* x, const Octet& octet) {
  double cost = 0;
  for (size_t i = 0; i < 64; ++i) {
    cost += form.s[i] * (x[i / 8] - octet.numbers[i / 8]) * (x[i % 8] - octet.numbers[i % 8]);
  }
  return cost;
}

TEST(LatticeOctetTest, IsNoWorseThanTheBestPointForTheSignsAsTheyAre) {
  std::mt19937 random(9);
  std::normal_distribution<double> normal;
  const Lattice& lattice = SampleLattices()[1];
  for (int k = 0; k < 50; ++k) {
    double s[64], x[8];
    const std::vector<double> moment = SampleMoment(8, 100 + static_cast<uint32_t>(k));
    std::copy(moment.begin(), moment.end(), s);
    for (double& value : x) value = 3 * normal(random);
    const OctetForm form(s);
    const double got = Cost(form, x, ChooseOctet(lattice, form, x));
    for (int64_t p = 0; p < lattice.count(); ++p) {
      Octet other;
      for (size_t i = 0; i < 8; ++i) other.numbers[i] = std::copysign(lattice.Point(p)[i], x[i]);
      EXPECT_LE(got, Cost(form, x, other) + 1e-9);
    }
  }
}

TEST(OctetFormTest, InvertsAndRelaxes) {
  double s[64];
  const std::vector<double> moment = SampleMoment(8, 3);
  std::copy(moment.begin(), moment.end(), s);
  const OctetForm form(s);
  for (int i = 0; i < 64; ++i) {
    double product = 0;
    for (int k = 0; k < 8; ++k) product += form.s[i / 8 * 8 + k] * form.inverse[8 * k + i % 8];
    EXPECT_NEAR(product, i % 9 == 0 ? 1 : 0, 1e-9);
  }
  // The first four columns and the best that the other four can do about them: (S⁻¹)₂₁ times the relaxed form.
  double x[8] = {1, -2, 0.5, 3}, pull[4] = {}, relaxed = 0, least = 0;
  for (int i = 0; i < 16; ++i) pull[i / 4] += form.relaxed[i] * x[i % 4];
  for (int i = 0; i < 16; ++i) x[4 + i / 4] += form.inverse[8 * (4 + i / 4) + i % 4] * pull[i % 4];
  for (int i = 0; i < 4; ++i) relaxed += x[i] * pull[i];
  for (int i = 0; i < 64; ++i) least += form.s[i] * x[i / 8] * x[i % 8];
  EXPECT_NEAR(least, relaxed, 1e-9 * relaxed);
}

}  // namespace
}  // namespace bitwright::worker
