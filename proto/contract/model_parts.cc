#include "proto/contract/model_parts.h"

namespace bitwright {
namespace {

bool IsWithin(int64_t block, int64_t begin, int64_t end) { return begin <= block && block < end; }

PartsRead Blocks(int64_t begin, int64_t end) {
  return {.units_begin = begin, .units_end = end, .kept_begin = begin, .kept_end = end};
}
PartsRead Blocks(const v1::Range& blocks) { return Blocks(blocks.begin(), blocks.end()); }

// What runs through blocks: before the first stands the embedding.
PartsRead Through(PartsRead blocks) {
  blocks.embedding = blocks.units_begin == 0;
  return blocks;
}

PartsRead Ends() { return {.embedding = true, .head = true}; }

// From the embedding to the logits.
PartsRead Whole(int64_t blocks) {
  PartsRead read = Through(Blocks(0, blocks));
  read.head = true;
  return read;
}

// All that is taken over as it is.
PartsRead Kept(int64_t blocks) { return {.kept_begin = 0, .kept_end = blocks, .embedding = true, .head = true}; }

}  // namespace

bool PartsRead::Has(const ModelPart& part) const {
  switch (part.part) {
    case v1::ModelPiece::COMMON:
      return true;
    case v1::ModelPiece::EMBEDDING:
      return embedding;
    case v1::ModelPiece::UNITS:
      return IsWithin(part.block, units_begin, units_end);
    case v1::ModelPiece::KEPT:
      return IsWithin(part.block, kept_begin, kept_end);
    case v1::ModelPiece::HEAD:
      return head;
    default:
      return false;
  }
}

PartsRead PartsReadBy(const v1::TaskSpec& spec, int64_t blocks) {
  switch (spec.params_case()) {
    case v1::TaskSpec::kReference:
      return Through(Blocks(spec.reference().blocks()));
    case v1::TaskSpec::kCalibrate:
      return Through(Blocks(spec.calibrate().blocks()));
    case v1::TaskSpec::kCurvature: {
      PartsRead read = Through(Blocks(spec.curvature().blocks()));
      read.head = read.units_end == blocks;
      return read;
    }
    case v1::TaskSpec::kProfile:
      return spec.profile().ends() ? Ends() : Blocks(spec.profile().blocks());
    case v1::TaskSpec::kQuantize:
      return spec.quantize().ends() ? Ends() : Blocks(spec.quantize().blocks());
    case v1::TaskSpec::kCheck: {  // from the unit's own block to the end of the model
      PartsRead read = Through(Blocks(spec.check().blocks().begin(), blocks));
      read.head = true;
      return read;
    }
    case v1::TaskSpec::kScore:
      return spec.score().quantized() ? Kept(blocks) : Whole(blocks);
    case v1::TaskSpec::kSample:
      return spec.sample().quantized() ? Kept(blocks) : Whole(blocks);
    case v1::TaskSpec::kEvaluate:  // the units come quantized
    case v1::TaskSpec::kAssemble:
      return Kept(blocks);
    default:
      return {};
  }
}

}  // namespace bitwright
