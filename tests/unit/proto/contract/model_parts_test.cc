#include "proto/contract/model_parts.h"

#include <gtest/gtest.h>

namespace bitwright {
namespace {

constexpr int kBlocks = 8;

template <typename Params>
void Blocks(Params* params, int begin, int end) {
  params->mutable_blocks()->set_begin(begin);
  params->mutable_blocks()->set_end(end);
}

TEST(PartsRead, ATaskOfBlocksReadsThemAndTheEndsThatItReaches) {
  v1::TaskSpec first, middle, last;
  Blocks(first.mutable_calibrate(), 0, 2);
  Blocks(middle.mutable_reference(), 2, 5);
  Blocks(last.mutable_curvature(), 5, 8);
  EXPECT_EQ(PartsReadBy(first, kBlocks), (PartsRead{0, 2, 0, 2, true, false}));
  EXPECT_EQ(PartsReadBy(middle, kBlocks), (PartsRead{2, 5, 2, 5, false, false}));
  EXPECT_EQ(PartsReadBy(last, kBlocks), (PartsRead{5, 8, 5, 8, false, true})) << "the loss needs the head";
  Blocks(last.mutable_curvature(), 0, 5);
  EXPECT_EQ(PartsReadBy(last, kBlocks), (PartsRead{0, 5, 0, 5, true, false}));
}

TEST(PartsRead, WeightsAloneOrAllButWeights) {
  v1::TaskSpec profile, quantize, evaluate, assemble, check, merge;
  Blocks(profile.mutable_profile(), 0, 2);
  Blocks(quantize.mutable_quantize(), 3, 4);
  Blocks(check.mutable_check(), 3, 4);
  evaluate.mutable_evaluate();
  assemble.mutable_assemble();
  merge.mutable_merge();
  EXPECT_EQ(PartsReadBy(profile, kBlocks), (PartsRead{0, 2, 0, 2, false, false}));
  EXPECT_EQ(PartsReadBy(quantize, kBlocks), (PartsRead{3, 4, 3, 4, false, false}));
  EXPECT_EQ(PartsReadBy(check, kBlocks), (PartsRead{3, 8, 3, 8, false, true})) << "up to the end of the model";
  EXPECT_EQ(PartsReadBy(evaluate, kBlocks), (PartsRead{0, 0, 0, 8, true, true})) << "units come quantized";
  EXPECT_EQ(PartsReadBy(assemble, kBlocks), PartsReadBy(evaluate, kBlocks));
  EXPECT_EQ(PartsReadBy(merge, kBlocks), PartsRead());
}

TEST(PartsRead, WhoAnswersReadsAllButThatAPlansUnitsComeQuantized) {
  v1::TaskSpec score, sample, quantized, evaluate;
  score.mutable_score();
  sample.mutable_sample();
  EXPECT_EQ(PartsReadBy(score, kBlocks), (PartsRead{0, 8, 0, 8, true, true}));
  EXPECT_EQ(PartsReadBy(sample, kBlocks), PartsReadBy(score, kBlocks));
  evaluate.mutable_evaluate();
  quantized.mutable_score()->set_quantized(true);
  EXPECT_EQ(PartsReadBy(quantized, kBlocks), PartsReadBy(evaluate, kBlocks));
  quantized.mutable_sample()->set_quantized(true);
  EXPECT_EQ(PartsReadBy(quantized, kBlocks), PartsReadBy(evaluate, kBlocks));
}

TEST(PartsRead, Has) {
  const PartsRead read = {.units_begin = 1, .units_end = 3, .kept_begin = 2, .kept_end = 3, .head = true};
  using Part = v1::ModelPiece;
  EXPECT_TRUE(read.Has({Part::COMMON}));
  EXPECT_TRUE(read.Has({Part::UNITS, 1}));
  EXPECT_TRUE(read.Has({Part::UNITS, 2}));
  EXPECT_FALSE(read.Has({Part::UNITS, 3}));
  EXPECT_FALSE(read.Has({Part::KEPT, 1}));
  EXPECT_TRUE(read.Has({Part::KEPT, 2}));
  EXPECT_FALSE(read.Has({Part::EMBEDDING}));
  EXPECT_TRUE(read.Has({Part::HEAD}));
  EXPECT_FALSE(read.Has({Part::PART_UNSPECIFIED}));
}

}  // namespace
}  // namespace bitwright
