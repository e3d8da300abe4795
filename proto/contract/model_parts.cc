#include "proto/contract/model_parts.h"

namespace bitwright {
namespace {

bool IsWithin(int64_t block, int64_t begin, int64_t end) { return begin <= block && block < end; }

// What runs through blocks [begin, end): before the first stands the embedding.
PartsRead Blocks(int64_t begin, int64_t end) {
  return {.units_begin = begin, .units_end = end, .kept_begin = begin, .kept_end = end, .embedding = begin == 0};
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
      return Blocks(spec.reference().blocks().begin(), spec.reference().blocks().end());
    case v1::TaskSpec::kCalibrate:
      return Blocks(spec.calibrate().blocks().begin(), spec.calibrate().blocks().end());
    case v1::TaskSpec::kCurvature: {
      PartsRead read = Blocks(spec.curvature().blocks().begin(), spec.curvature().blocks().end());
      read.head = read.units_end == blocks;
      return read;
    }
    case v1::TaskSpec::kProfile:
    case v1::TaskSpec::kQuantize: {
      const bool profile = spec.has_profile();
      const v1::Range& range = profile ? spec.profile().blocks() : spec.quantize().blocks();
      PartsRead read = Blocks(range.begin(), range.end());
      read.embedding = false;
      return read;
    }
    case v1::TaskSpec::kCheck: {  // from the unit's own block to the end of the model
      PartsRead read = Blocks(spec.check().blocks().begin(), blocks);
      read.head = true;
      return read;
    }
    case v1::TaskSpec::kEvaluate:  // the units come quantized
    case v1::TaskSpec::kAssemble:
      return Kept(blocks);
    default:
      return {};
  }
}

}  // namespace bitwright
