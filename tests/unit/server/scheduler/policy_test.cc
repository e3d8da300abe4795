#include "server/scheduler/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace bitwright::server {
namespace {

Offer Place(const std::string& compute_class, const std::string& code, double cores, int free = 1) {
  return {.compute_class = compute_class,
          .code_version = code,
          .places = 1,
          .free_places = free,
          .cores = cores,
          .memory_bytes = 1000};
}

std::string Chosen(std::vector<Offer> offers, const Requirements& needs = {}, const std::string& code = "") {
  const auto offer = ChooseOffer(offers, needs, code);
  std::reverse(offers.begin(), offers.end());
  const auto reversed = ChooseOffer(offers, needs, code);
  EXPECT_EQ(offer.has_value(), reversed.has_value());
  if (!offer) return "none";
  EXPECT_EQ(offer->compute_class + offer->code_version, reversed->compute_class + reversed->code_version)
      << "whatever the order";
  return offer->compute_class + " " + offer->code_version;
}

TEST(Policy, WithoutWorkersNothingIsChosen) { EXPECT_EQ(Chosen({}), "none"); }

TEST(Policy, CordonedPlacesAreTheLastChoice) {
  Offer closed = Place("cpu-avx512", "1", 64);
  closed.closed = true;
  EXPECT_EQ(Chosen({closed, Place("cpu-avx2", "1", 1)}), "cpu-avx2 1");
  EXPECT_EQ(Chosen({closed}), "cpu-avx512 1");
  EXPECT_TRUE(AnyFits({closed}, {}));
  EXPECT_FALSE(AnyOpenFits({closed}, {}));
}

TEST(Policy, TheClassWithMostCoresIsChosen) {
  EXPECT_EQ(Chosen({Place("cpu-avx2", "1", 8), Place("cpu-avx512", "1", 4)}), "cpu-avx2 1");
}

TEST(Policy, AFreePlaceIsBetterThanAFastOne) {
  EXPECT_EQ(Chosen({Place("cpu-avx2", "1", 8, 0), Place("cpu-avx512", "1", 4)}), "cpu-avx512 1");
}

TEST(Policy, OfEqualOnesTheNewerInstructionSetIsChosen) {
  EXPECT_EQ(Chosen({Place("cpu-avx512", "1", 4), Place("cpu-avx2", "1", 4)}), "cpu-avx512 1");
}

TEST(Policy, TheCodeOfEarlierTasksIsKeptWhereAPlaceIsFree) {
  EXPECT_EQ(Chosen({Place("cpu-avx2", "1", 4), Place("cpu-avx2", "2", 8)}, {}, "1"), "cpu-avx2 1");
  EXPECT_EQ(Chosen({Place("cpu-avx2", "1", 4, 0), Place("cpu-avx2", "2", 8)}, {}, "1"), "cpu-avx2 2");
}

TEST(Policy, ForNumericTasksAGraphicsProcessorIsBetterEvenABusyOne) {
  const std::vector<Offer> offers = {Place("cuda-sm90-132", "1+2", 8, 0), Place("cpu-avx512", "1", 64)};
  EXPECT_EQ(Chosen(offers, {.numeric = true}), "cuda-sm90-132 1+2");
  EXPECT_EQ(Chosen(offers), "cpu-avx512 1") << "other tasks gain nothing by it";
  std::vector<Offer> closed = offers;
  closed[0].closed = true;
  EXPECT_EQ(Chosen(closed, {.numeric = true}), "cpu-avx512 1");
}

TEST(Policy, AWishForADeviceBinds) {
  const std::vector<Offer> offers = {Place("cuda-sm90-132", "1+2", 8), Place("cpu-avx512", "1", 64)};
  EXPECT_EQ(Chosen(offers, {.device = "cpu", .numeric = true}), "cpu-avx512 1");
  EXPECT_EQ(Chosen({offers[1]}, {.device = "cuda", .numeric = true}), "none");
}

TEST(Policy, WhatIsMadeForAProgramRunsOnItsWorkersWithADevice) {
  const Offer card = Place("cuda-sm90-132", "1+2", 8);
  EXPECT_TRUE(card.Fits({.code_version = "1"}));
  EXPECT_TRUE(card.Fits({.code_version = "1+2"}));
  EXPECT_FALSE(card.Fits({.code_version = "1+3"}));
  EXPECT_FALSE(Place("cpu-avx2", "1", 8).Fits({.code_version = "1+2"}));
}

TEST(Policy, TheLiveSetIsTheDevicesAndTheHostHasTheRest) {
  Offer card = Place("cuda-sm90-132", "1+2", 8);
  card.memory_bytes = 100;
  card.device_memory_bytes = 1000;
  card.threads = 8;
  const LiveSet memory{.bytes = 900, .thread_bytes = 90, .host_bytes = 100};
  EXPECT_TRUE(card.Fits({.memory = memory, .numeric = true}));
  EXPECT_FALSE(card.Fits({.memory = memory})) << "other tasks are the host's";
  EXPECT_FALSE(card.Fits({.memory = {911, 90, 100}, .numeric = true}));
  EXPECT_FALSE(card.Fits({.memory = {900, 90, 101}, .numeric = true}));
}

TEST(Policy, WhatCannotRunItIsNotChosen) {
  const Offer small = Place("cpu-avx512", "1", 8);
  EXPECT_EQ(Chosen({small}, {.memory = {1001, 0}}), "none");
  Offer lane = small;
  lane.small_lane = true;
  EXPECT_EQ(Chosen({lane}, {.memory = {1001, 0}}), "none");
  EXPECT_EQ(Chosen({lane}, {.memory = {1001, 0}, .small = true}), "cpu-avx512 1");
  EXPECT_EQ(Chosen({small}, {.compute_class = "cpu-avx2"}), "none");
  EXPECT_EQ(Chosen({small}, {.code_version = "2"}), "none");
  EXPECT_FALSE(AnyFits({small}, {.code_version = "2"}));
  EXPECT_TRUE(AnyFits({small}, {.code_version = "1"}));
}

TEST(Policy, RetryDelaysGrow) {
  EXPECT_EQ(RetryDelay(1), absl::ZeroDuration());
  EXPECT_EQ(RetryDelay(2), absl::Seconds(1));
  EXPECT_EQ(RetryDelay(3), absl::Seconds(5));
  EXPECT_EQ(RetryDelay(4), absl::Seconds(25));
  EXPECT_EQ(RetryDelay(9), absl::Seconds(25));
}

TEST(Policy, PausesOfTheStoreGrowToHalfAMinute) {
  EXPECT_EQ(StorePause(1), absl::Milliseconds(100));
  EXPECT_EQ(StorePause(4), absl::Milliseconds(800));
  EXPECT_EQ(StorePause(100), absl::Seconds(30));
}

}  // namespace
}  // namespace bitwright::server
