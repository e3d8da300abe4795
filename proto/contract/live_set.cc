#include "proto/contract/live_set.h"

#include <algorithm>

#include "proto/contract/memory_cuts.h"

namespace bitwright {
namespace {

constexpr double kFloat = 4;
constexpr double kProcess = 40.0 * (1 << 20);          // code, libraries, tables
constexpr double kDeviceProcess = 1024.0 * (1 << 20);  // a driver, libraries of a device, page-locked copies
constexpr double kThread = 4.0 * (1 << 20);            // what a matrix product packs
constexpr double kMomentParts = 12.0 * (1 << 20);      // partial sums of a narrow input's second moment
constexpr double kSmall = 256.0 * (1 << 20);
constexpr double kRememberedPieces = 24.0 * (1 << 20);
constexpr double kAskedBytes = 7;  // of a byte of questions, as the tokens of four choices: in their file, and parsed
constexpr double kMostAsked = 192.0 * (1 << 20);  // of the largest file that tasks hand on
constexpr double kTextCopies = 3.4;  // of a text and its copies where the tokenizer writes spaces in three bytes
// Bytes for each input and row of a piece of 64 rows that is rounded: weights in two orders, errors, codes, scales.
constexpr double kRoundedPiece = 64 * 13.2;
// The same on a grid: weights, values, H times errors and a copy, codes, scales, and what a re-fit holds beside them.
constexpr double kGridPiece = 64 * 40.0;
constexpr double kMostPacked = 1.1;   // bytes of a weight in the widest blocks
constexpr double kPanelColumns = 64;  // of a factorization
constexpr double kFactorBlock = 128;  // columns that rounding has twice

double Bytes(int64_t bytes) { return static_cast<double>(bytes); }

LiveSet ToLiveSet(double bytes, double thread_bytes) {
  const auto saturated = [](double value) { return static_cast<int64_t>(std::min(value, 4e18)); };
  return {saturated(kProcess + bytes), saturated(kThread + thread_bytes)};
}

double Triangle(double n) { return kFloat * n * (n + 1) / 2; }

// Factorizing H [n, n] in f64, and the triangle that comes or goes.
double Factorizing(double n) { return Triangle(n) + 2 * kFloat * n * (n + kPanelColumns); }

// Rounding one linear of an input of n columns at a time: by H, or by its factor and what lies near its diagonal.
double RoundingBeside(double n, double linear_weights, bool rtn) {
  const double codes = 2 * linear_weights;  // as integers of 8 bits, and packed
  const double square = kFloat * n * n;
  if (rtn) return square + std::max(Triangle(n) + square, codes + kFloat * linear_weights);
  return square + kFloat * n * kFactorBlock + std::max(codes, static_cast<double>(kMappedPieceBytes));
}

bool IsNarrow(v1::ComputeType compute) { return compute == v1::COMPUTE_TYPE_BF16; }

double Weights(const v1::UnitInfo& unit) { return kFloat * static_cast<double>(unit.weights()); }

bool RoundsInputs(const v1::TargetInfo::Unit& unit) {
  return std::ranges::any_of(
      unit.options(), [](const v1::FormatOption& option) { return option.format().integer().input_bits() != 0; });
}

double Inputs(const v1::UnitInfo& unit) {
  return unit.linears().empty() ? 0 : static_cast<double>(unit.linears(0).in_features());
}

}  // namespace

LiveSets::LiveSets(const v1::ModelInfo& info, const v1::Recipe::Rounding& rounding, const v1::TargetInfo* target)
    : info_(info), rtn_(rounding.method() == v1::ROUNDING_METHOD_RTN) {
  if (target != nullptr && target->rounding_moment()) {
    priced_on_grids_ = target->pricing_passes() > 1;
    rounded_on_grids_ = priced_on_grids_ || (!rtn_ && rounding.sweeps() != v1::SWEEPS_NONE);
  }
  if (target != nullptr) rounds_inputs_ = std::ranges::any_of(target->units(), RoundsInputs);
  for (int u = 0; u < info.units_size(); ++u) {
    const v1::UnitInfo& unit = info.units(u);
    const double n = Inputs(unit);
    if (unit.block() < 0) {
      stores_ends_ = stores_ends_ || (target != nullptr && u < target->units_size());
      end_ = std::max(end_, static_cast<double>(unit.weights()));
      continue;
    }
    by_feedback_.bytes = std::max(by_feedback_.bytes, Weights(unit) + Rounding(unit, false, false));
    by_feedback_.thread = std::max(by_feedback_.thread, kRoundedPiece * n);
    on_grids_.bytes = std::max(on_grids_.bytes, Weights(unit) + Rounding(unit, true, priced_on_grids_));
    on_grids_.thread = std::max(on_grids_.thread, kGridPiece * n);
    widest_ = std::max(widest_, n);
  }
}

double LiveSets::Rounding(const v1::UnitInfo& unit, bool on_grids, bool on_lattices) const {
  double linear = 0;
  for (const auto& one : unit.linears()) {
    linear = std::max(linear, static_cast<double>(one.in_features()) * static_cast<double>(one.out_features()));
  }
  const double n = Inputs(unit), square = kFloat * n * n;
  const double beside = RoundingBeside(n, linear, rtn_);
  if (!on_grids) return beside;
  // H once more, of the same order; on lattices, which only those targets have that price on grids, another factor.
  return beside + square + (on_lattices ? std::max(Factorizing(n), 2 * square + Triangle(n)) : 0);
}

double StreamBytes(const v1::ModelInfo& info, int64_t windows, int64_t window) {
  return kFloat * static_cast<double>(windows) * static_cast<double>(window) * Bytes(info.hidden_size());
}

double LiveSets::Stream(int64_t windows, int64_t window) const { return StreamBytes(info_, windows, window); }

double LiveSets::Values(int64_t windows, int64_t window, bool narrow) const {
  const v1::LiveSizes& live = info_.live();
  const double chunk = static_cast<double>(ChunkRows(live.forward_row(), window, windows * window));
  return chunk * Bytes(live.forward_row() + (narrow ? live.narrow_row() : 0));
}

double LiveSets::Pass(int64_t windows, int64_t window, bool narrow) const {
  const v1::LiveSizes& live = info_.live();
  const double values = Values(windows, window, narrow);
  // A tensor is mapped while it is read.
  if (!narrow) return Bytes(live.block()) + std::max(values, Bytes(live.tensor()));
  return std::max(Bytes(live.narrow_block()) + values, Bytes(live.narrow_block_load()) + Bytes(live.tensor()));
}

// A tile of scores, and what the products with it pack, which takes about three times as much.
double LiveSets::PassThread(int64_t window) const { return 4 * kFloat * kQueryTile * static_cast<double>(window); }

double LiveSets::RoundedInputs() const {
  return rounds_inputs_ ? kFloat * widest_ * static_cast<double>(kRoundedInputRows) : 0;
}

double LiveSets::Head(int64_t rows, int copies, bool narrow) const {
  const int64_t vocab = info_.vocab_size();
  const double row = kFloat * Bytes(info_.hidden_size());
  const bool kept = row * Bytes(vocab) <= static_cast<double>(kMostHeadBytes);
  const double weights = row * static_cast<double>(kept ? vocab : std::min(vocab, kHeadTileRows));
  const double logits = kFloat * Bytes(vocab) * static_cast<double>(LogitRows(vocab, rows));
  return (narrow ? 1.5 : 1) * weights + copies * logits;
}

// The block that is computed and the one behind it, as f32, which none is stored wider than, and one input's triangle;
// but never more than what a task without a device holds, and the device's own part.
LiveSet LiveSets::WithHost(LiveSet live, double stream) const {
  const double parts = kProcess + 2 * Bytes(info_.live().block()) + Triangle(widest_) + stream;
  live.host_bytes = static_cast<int64_t>(std::min(kDeviceProcess + std::min(parts, Bytes(live.bytes)), 4e18));
  return live;
}

LiveSet LiveSets::Reference(int64_t windows, int64_t window, v1::ComputeType compute) const {
  return WithHost(ToLiveSet(Stream(windows, window) + Pass(windows, window, IsNarrow(compute)), PassThread(window)),
                  2 * Stream(windows, window));
}

LiveSet LiveSets::Calibrate(int64_t windows, int64_t window, v1::ComputeType compute, bool factorizes) const {
  const bool narrow = IsNarrow(compute);
  const double moments = Bytes(info_.live().moments()), hidden = Bytes(info_.hidden_size());
  // All inputs of a block while it passes. Then its weights have gone, and each input in turn becomes the triangle that
  // is written of it: the first, which is a stream's, beside all others, or the widest, when those have gone.
  const double passing = Pass(windows, window, narrow) + moments + kMomentParts;
  const double own = kFloat * hidden * hidden, widest = kFloat * widest_ * widest_;
  const double writing = factorizes ? std::max(moments - own + Factorizing(hidden), Factorizing(widest_))
                                    : std::max(moments + own / 2, 1.5 * widest);
  return WithHost(ToLiveSet(Stream(windows, window) + std::max(passing, Values(windows, window, narrow) + writing),
                            PassThread(window)),
                  2 * Stream(windows, window));
}

LiveSet LiveSets::Merge() const {
  const double sums = 2 * kFloat * widest_ * widest_;
  return WithHost(ToLiveSet(rtn_ ? sums : std::max(sums, Factorizing(widest_)), 0), Triangle(widest_));
}

LiveSet LiveSets::Curvature(int64_t blocks, int64_t windows, int64_t window) const {
  const v1::LiveSizes& live = info_.live();
  const double stream = Stream(windows, window);
  const int64_t rows = windows * window;
  const int64_t step = KeptStreamStep(blocks, static_cast<int64_t>(std::min(stream, 4e18)));
  const int64_t kept = (blocks + step - 1) / step + step - 1;
  const double backward =
      static_cast<double>(ChunkRows(live.backward_row(), window, rows)) * Bytes(live.backward_row()) +
      Bytes(live.block());
  const double head = Values(windows, window, false) + stream + Head(rows, live.capped_logits() ? 3 : 2, false);
  const double live_bytes =
      static_cast<double>(kept + 2) * stream + std::max({Pass(windows, window, false), head, backward});
  const double thread_bytes = 1.5 * PassThread(window);  // three tiles on the way back
  return WithHost(ToLiveSet(live_bytes, thread_bytes), 2 * stream + Head(rows, 0, false));
}

LiveSet LiveSets::Profile() const {
  const RoundingSize& size = priced_on_grids_ ? on_grids_ : by_feedback_;
  return WithHost(ToLiveSet(size.bytes, size.thread), 0);
}

LiveSet LiveSets::Quantize() const {
  const RoundingSize& size = rounded_on_grids_ ? on_grids_ : by_feedback_;
  return WithHost(ToLiveSet(size.bytes, size.thread), 0);
}

// A piece of rows and its values, H of both ways and what rounds by it, and the packed whole.
LiveSet LiveSets::Ends() const {
  const double n = Bytes(info_.hidden_size()), rows = static_cast<double>(kEndRows);
  return WithHost(
      ToLiveSet(3 * kFloat * rows * n + Factorizing(n) + 5 * kFloat * n * n + kMostPacked * end_, kGridPiece * n),
      kFloat * end_);
}

LiveSet LiveSets::Check(std::span<const int> units, int64_t measurements, int64_t windows, int64_t window) const {
  const double variants = static_cast<double>(units.size()) * static_cast<double>(measurements);
  const double streams = (3 + variants) * Stream(windows, window);
  const double head = Head(windows * window, 2, false);
  const double values = Values(windows, window, false);
  double branch = 0;  // the block, the rounded unit beside it, and what rounds it or what passes
  for (const int unit : units) {
    const v1::UnitInfo& info = info_.units(unit);
    branch =
        std::max(branch, Bytes(info_.live().block()) + Weights(info) + std::max(values, Rounding(info, true, false)));
  }
  return WithHost(ToLiveSet(streams + RoundedInputs() + std::max({Pass(windows, window, false), branch, values + head}),
                            std::max(PassThread(window), on_grids_.thread)),
                  2 * Stream(windows, window) + head);
}

LiveSet LiveSets::Evaluate(int64_t windows, int64_t window, v1::ComputeType compute) const {
  const bool narrow = IsNarrow(compute);
  const double other = stores_ends_ ? Head(windows * window, 0, narrow) : 0;
  const double head = Values(windows, window, narrow) + Head(windows * window, 2, narrow) + other;
  return WithHost(
      ToLiveSet(2 * Stream(windows, window) + RoundedInputs() + std::max(Pass(windows, window, narrow), head),
                PassThread(window)),
      2 * Stream(windows, window) + Head(windows * window, 2, false));
}

LiveSet LiveSets::Score(int64_t sequences, int64_t window, v1::ComputeType compute, int64_t file_bytes) const {
  const bool narrow = IsNarrow(compute);
  const double head = Values(sequences, window, narrow) + Head(sequences * window, 1, narrow);
  const double set = std::min(kAskedBytes * Bytes(file_bytes), kMostAsked);
  return WithHost(
      ToLiveSet(set + Stream(sequences, window) + RoundedInputs() + std::max(Pass(sequences, window, narrow), head),
                PassThread(window)),
      set + Head(sequences * window, 1, false));
}

// Logits on the device and beside it.
LiveSet LiveSets::Sample(int64_t window, v1::ComputeType compute) const {
  const bool narrow = IsNarrow(compute);
  const double head = Values(1, window, narrow) + Head(window, 2, narrow);
  return WithHost(
      ToLiveSet(Stream(1, window) + RoundedInputs() + std::max(Pass(1, window, narrow), head), PassThread(window)),
      head);
}

LiveSet LiveSets::Small() { return {static_cast<int64_t>(kSmall), 0}; }

LiveSet LiveSets::Import() { return Small(); }

LiveSet LiveSets::Tokenize(int64_t text_bytes) {
  const double bytes = kProcess + kRememberedPieces + kTextCopies * Bytes(text_bytes);
  return {static_cast<int64_t>(std::max(kSmall, bytes)), 0};
}

}  // namespace bitwright
