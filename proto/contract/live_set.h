#pragma once

#include <cstdint>
#include <span>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/recipes.pb.h"

// What a task holds in memory: declared once. The server tells from it where a task fits; the worker cuts its work by
// the same constants (memory_cuts.h). Bytes throughout.
namespace bitwright {

// Of one task: what it takes however many threads it has, and with each of them.
struct LiveSet {
  int64_t bytes = 0;
  int64_t thread_bytes = 0;
  // What remains with the host where a device with memory of its own holds the rest: the process with the device's
  // driver and libraries, pieces of files that are mapped, copies that come and go.
  int64_t host_bytes = 0;

  int64_t On(int threads) const { return bytes + thread_bytes * threads; }
  friend bool operator==(const LiveSet&, const LiveSet&) = default;
};

// The residual stream of some windows.
double StreamBytes(const v1::ModelInfo& info, int64_t windows, int64_t window);

// The live sets of a model's tasks. A process that does nothing counts; so does a file's page for as long as it is
// mapped and has been read. Estimates of absurd sizes saturate.
class LiveSets {
 public:
  // Keeps a reference to info. `target`: whose formats linears are rounded to; null: one without what costs more.
  LiveSets(const v1::ModelInfo& info, const v1::Recipe::Rounding& rounding, const v1::TargetInfo* target = nullptr);

  LiveSet Reference(int64_t windows, int64_t window, v1::ComputeType compute) const;
  // `factorizes`: what it has summed, for GPTQ.
  LiveSet Calibrate(int64_t windows, int64_t window, v1::ComputeType compute, bool factorizes) const;
  LiveSet Merge() const;
  LiveSet Curvature(int64_t blocks, int64_t windows, int64_t window) const;
  LiveSet Profile() const;
  // `units` of ModelInfo, each measured `measurements` times.
  LiveSet Check(std::span<const int> units, int64_t measurements, int64_t windows, int64_t window) const;
  LiveSet Quantize() const;
  // Of embedding and head, of either kind of task.
  LiveSet Ends() const;
  LiveSet Evaluate(int64_t windows, int64_t window, v1::ComputeType compute) const;
  // Of so many sequences, each of a window, of questions that were made of a file of `file_bytes`.
  LiveSet Score(int64_t sequences, int64_t window, v1::ComputeType compute, int64_t file_bytes) const;
  // Of a continuation that ends `window` tokens behind the beginning of its prompt.
  LiveSet Sample(int64_t window, v1::ComputeType compute) const;
  // Of tasks that hold no block, and nothing that grows with the model but names.
  static LiveSet Small();
  static LiveSet Tokenize(int64_t text_bytes);
  // Weights stream; what is held is a piece of one tensor, and the names and tokens of all.
  static LiveSet Import();

 private:
  double Stream(int64_t windows, int64_t window) const;
  // Of a block on its way forward.
  double Values(int64_t windows, int64_t window, bool narrow) const;
  // One pass of a block over windows, and the block.
  double Pass(int64_t windows, int64_t window, bool narrow) const;
  double Head(int64_t rows, int copies, bool narrow) const;
  double PassThread(int64_t window) const;
  // Beside what is read and written as a whole: `stream` bytes.
  LiveSet WithHost(LiveSet live, double stream) const;
  // What a quantized model takes more.
  double RoundedInputs() const;

  // What tasks of rounding take: by error feedback alone, and on grids.
  struct RoundingSize {
    double bytes = 0;  // a unit and its weights, of that which takes most
    double thread = 0;
  };

  // Rounding a unit, beside its weights.
  double Rounding(const v1::UnitInfo& unit, bool on_grids, bool on_lattices) const;

  const v1::ModelInfo& info_;
  const bool rtn_;
  bool priced_on_grids_ = false;  // also where only what a format costs is asked for
  bool rounded_on_grids_ = false;
  bool stores_ends_ = false;
  bool rounds_inputs_ = false;  // some plans do
  double widest_ = 0;           // input of a unit
  RoundingSize by_feedback_, on_grids_;
  double end_ = 0;  // weights of the largest end
};

}  // namespace bitwright
