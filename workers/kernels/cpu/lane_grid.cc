#include "workers/kernels/cpu/lane_grid.h"

#include <algorithm>

#include "workers/kernels/cpu/row_lanes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "workers/kernels/cpu/lane_grid.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set
#include "hwy/highway.h"
#include "workers/kernels/cpu/nearest_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitwright::worker::HWY_NAMESPACE {
namespace {

template <LaneSearch search, DType type>
struct Loops {
  static void Errors(const LaneGrid& grid, const float* w, const float* h, int64_t columns, LaneScales scales,
                     float* error) {
    const D d;
    for (int64_t r = 0; r < kLaneRows; r += Width()) {
      const V scale = hn::LoadU(d, scales.scale + r), minimum = hn::LoadU(d, scales.minimum + r);
      const V inverse = InverseScale(scale);
      V sum = hn::Zero(d);
      for (int64_t j = 0; j < columns; ++j) {
        const V value = hn::LoadU(d, w + j * kLaneRows + r);
        const Near near = NearestOf<search>(grid, value, inverse, minimum);
        const V miss = hn::Sub(value, ValueOf<search, type>(near, scale, minimum));
        sum = hn::MulAdd(hn::Mul(miss, miss), hn::Set(d, h[j]), sum);
      }
      hn::StoreU(sum, d, error + r);
    }
  }

  static void Sums(const LaneGrid& grid, const float* w, const float* h, int64_t columns, LaneScales scales, float* cc,
                   float* c, float* cw) {
    const D d;
    for (int64_t r = 0; r < kLaneRows; r += Width()) {
      const V scale = hn::LoadU(d, scales.scale + r), minimum = hn::LoadU(d, scales.minimum + r);
      const V inverse = InverseScale(scale);
      V squares = hn::Zero(d), sum = hn::Zero(d), products = hn::Zero(d);
      for (int64_t j = 0; j < columns; ++j) {
        const V value = hn::LoadU(d, w + j * kLaneRows + r);
        const V code = NearestOf<search>(grid, value, inverse, minimum).of_codebook;
        const V weighted = hn::Mul(code, hn::Set(d, h[j]));
        squares = hn::MulAdd(weighted, code, squares);
        sum = hn::Add(weighted, sum);
        products = hn::MulAdd(weighted, value, products);
      }
      hn::StoreU(squares, d, cc + r);
      hn::StoreU(sum, d, c + r);
      hn::StoreU(products, d, cw + r);
    }
  }

  static void Choose(const LaneGrid& grid, const float* held, float* rest, const float* h, int64_t columns,
                     LaneScales scales, float* values, uint8_t* codes, float* gain) {
    const D d;
    for (int64_t r = 0; r < kLaneRows; r += Width()) {
      const V scale = hn::LoadU(d, scales.scale + r), minimum = hn::LoadU(d, scales.minimum + r);
      const V inverse = InverseScale(scale);
      V gained = hn::Zero(d);
      for (int64_t j = 0; j < columns; ++j) {
        const int64_t at = j * kLaneRows + r;
        const float own = h[j * kLaneBlock + j];
        const V before = hn::LoadU(d, held + at), pull = hn::LoadU(d, rest + at);
        const V target = hn::MulAdd(pull, hn::Set(d, 1 / own), before);
        const Near near = NearestOf<search>(grid, target, inverse, minimum);
        const V value = ValueOf<search, type>(near, scale, minimum);
        const V delta = hn::Sub(value, before);
        gained = hn::MulAdd(delta, hn::NegMulAdd(delta, hn::Set(d, own), hn::Add(pull, pull)), gained);
        for (int64_t l = j + 1; l < columns; ++l) {
          float* to = rest + l * kLaneRows + r;
          hn::StoreU(hn::NegMulAdd(delta, hn::Set(d, h[j * kLaneBlock + l]), hn::LoadU(d, to)), d, to);
        }
        hn::StoreU(value, d, values + at);
        StoreIndices(near, codes + at);
      }
      hn::StoreU(gained, d, gain + r);
    }
  }
};

void GroupErrors(const LaneGrid& grid, const float* w, const float* h, int64_t columns, LaneScales scales,
                 float* error) {
  WithKind(grid,
           [&]<LaneSearch search, DType type>() { Loops<search, type>::Errors(grid, w, h, columns, scales, error); });
}

void GroupSums(const LaneGrid& grid, const float* w, const float* h, int64_t columns, LaneScales scales, float* cc,
               float* c, float* cw) {
  WithKind(grid,
           [&]<LaneSearch search, DType type>() { Loops<search, type>::Sums(grid, w, h, columns, scales, cc, c, cw); });
}

void ChooseGroup(const LaneGrid& grid, const float* held, float* r, const float* h, int64_t columns, LaneScales scales,
                 float* values, uint8_t* codes, float* gain) {
  WithKind(grid, [&]<LaneSearch search, DType type>() {
    Loops<search, type>::Choose(grid, held, r, h, columns, scales, values, codes, gain);
  });
}

}  // namespace
}  // namespace bitwright::worker::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitwright::worker {

HWY_EXPORT(GroupErrors);
HWY_EXPORT(GroupSums);
HWY_EXPORT(ChooseGroup);

LaneGrid::LaneGrid(const Grid& grid) : count(static_cast<int>(grid.codebook.size())), type(grid.value_type) {
  std::copy(grid.codebook.begin(), grid.codebook.end(), codebook);
  bool consecutive = true;
  for (int i = 0; i + 1 < count; ++i) {
    step[i] = codebook[i + 1] - codebook[i];
    middle[i] = (codebook[i] + codebook[i + 1]) / 2;
    consecutive = consecutive && step[i] == 1;
  }
  if (consecutive) search = grid.zero_points ? LaneSearch::kZeroPoints : LaneSearch::kIntegers;
  if (grid.fraction_bits < 0) return;
  search = LaneSearch::kSmallFloats;
  fraction_bits = grid.fraction_bits;
  least_power = codebook[count / 2 + 1] * static_cast<float>(1 << fraction_bits);
}

void GroupErrors(const LaneGrid& grid, const float* w, const float* h, int64_t columns, LaneScales scales,
                 float* error) {
  HWY_DYNAMIC_DISPATCH(GroupErrors)(grid, w, h, columns, scales, error);
}
void GroupSums(const LaneGrid& grid, const float* w, const float* h, int64_t columns, LaneScales scales, float* cc,
               float* c, float* cw) {
  HWY_DYNAMIC_DISPATCH(GroupSums)(grid, w, h, columns, scales, cc, c, cw);
}
void ChooseGroup(const LaneGrid& grid, const float* held, float* r, const float* h, int64_t columns, LaneScales scales,
                 float* values, uint8_t* codes, float* gain) {
  HWY_DYNAMIC_DISPATCH(ChooseGroup)(grid, held, r, h, columns, scales, values, codes, gain);
}

}  // namespace bitwright::worker
#endif
