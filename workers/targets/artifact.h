#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "workers/targets/target.h"

namespace bitwright::v1 {
class CardFacts;
class ModelInfo;
class Plan;
class TargetInfo;
}  // namespace bitwright::v1

namespace bitwright::worker {

// An artifact: the target's own files (target.h), and of every target
//   plan.json   format of every unit, what was predicted and measured
//   README.md   model card
//   SHA256SUMS  of every other file, in the form that sha256sum checks
// Everything here is a pure function of its arguments.

inline constexpr char kSumsFile[] = "SHA256SUMS";

// What is said of a plan besides its formats.
struct Measured {
  const v1::Candidate& candidate;
  const v1::Selection& selection;
  const v1::CardFacts& card;
};

// The text files that the artifact writes itself, but for SHA256SUMS. `described`: what DescribeTarget said. Errors of
// Target::OwnFiles.
absl::StatusOr<std::map<std::string, std::string>> WrittenFiles(const Target& target, const TargetModel& model,
                                                                const v1::TargetInfo& described, const v1::Plan& plan,
                                                                const Measured& measured);

// Text of SHA256SUMS for files path → sha256.
std::string Sha256Sums(const std::map<std::string, std::string>& digests);

// Exact bytes of all files on disk, by what they serve. Errors of Target::OwnFiles and WeightsSize.
absl::StatusOr<SizeParts> ArtifactSize(const Target& target, const TargetModel& model, const v1::TargetInfo& described,
                                       const v1::Plan& plan, const Measured& measured);

// What the target makes of the model; with `refusal`, where it cannot. model.name does not count.
v1::TargetInfo DescribeTarget(const Target& target, const TargetModel& model);

// What `info` says of a target. INVALID_ARGUMENT, reason TASK_INPUT_DAMAGED: nothing, or that it refuses the model.
absl::StatusOr<const v1::TargetInfo*> TargetInfoOf(const v1::ModelInfo& info, const Target& target);

}  // namespace bitwright::worker
