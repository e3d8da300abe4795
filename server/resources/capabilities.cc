#include "server/resources/capabilities.h"

#include <string>

#include "proto/contract/architectures.h"
#include "proto/contract/limits.h"
#include "proto/contract/targets.h"

namespace bitwright::server {
namespace {

struct NamedLimit {
  const char* name;
  int64_t value;
  const char* unit;
};

// By name.
constexpr NamedLimit kLimits[] = {
    {"default_calibration_tokens", limits::kDefaultCalibrationTokens, "tokens"},
    {"default_evaluation_tokens", limits::kDefaultEvaluationTokens, "tokens"},
    {"default_page_size", limits::kDefaultPageSize, "rows"},
    {"default_window", limits::kDefaultWindow, "tokens"},
    {"max_blob_bytes", limits::kMaxBlobBytes, "bytes"},
    {"max_data_tokens", limits::kMaxDataTokens, "tokens"},
    {"max_display_name_bytes", limits::kMaxDisplayNameBytes, "bytes"},
    {"max_filter_bytes", limits::kMaxFilterBytes, "bytes"},
    {"max_find_missing_digests", limits::kMaxFindMissingDigests, "digests"},
    {"max_label_key_bytes", limits::kMaxLabelKeyBytes, "bytes"},
    {"max_label_value_bytes", limits::kMaxLabelValueBytes, "bytes"},
    {"max_labels", limits::kMaxLabels, "labels"},
    {"max_manifest_files", limits::kMaxManifestFiles, "files"},
    {"max_message_bytes", limits::kMaxMessageBytes, "bytes"},
    {"max_page_size", limits::kMaxPageSize, "rows"},
    {"max_path_bytes", limits::kMaxPathBytes, "bytes"},
    {"max_priority", limits::kMaxPriority, "steps"},
    {"max_request_id_bytes", limits::kMaxRequestIdBytes, "bytes"},
    {"max_task_attempts", limits::kMaxTaskAttempts, "attempts"},
    {"min_window", limits::kMinWindow, "tokens"},
};

}  // namespace

v1::Capabilities MakeCapabilities(std::string_view version, const RecipeResources& recipes) {
  v1::Capabilities capabilities;
  capabilities.set_version(std::string(version));
  capabilities.set_api_version("v1");
  for (const SupportedArchitecture& supported : kArchitectures) {
    auto* architecture = capabilities.add_architectures();
    architecture->set_architecture(std::string(supported.architecture));
    architecture->set_family(std::string(supported.family));
  }
  for (const KnownTarget& known : kTargets) {
    auto* target = capabilities.add_targets();
    target->set_name(std::string(known.name));
    for (const std::string_view format : known.formats) target->add_formats(std::string(format));
    for (const std::string_view consumer : known.consumers) target->add_consumers(std::string(consumer));
  }
  for (const v1::Recipe& recipe : recipes.recipes()) capabilities.add_recipes(recipe.name());
  for (const auto kind : {v1::Data::TEXT, v1::Data::TOKEN_IDS_JSONL, v1::Data::DOCUMENTS_JSONL}) {
    capabilities.add_data_kinds(kind);
  }
  for (const NamedLimit& known : kLimits) {
    auto* limit = capabilities.add_limits();
    limit->set_name(known.name);
    limit->set_value(known.value);
    limit->set_unit(known.unit);
  }
  return capabilities;
}

}  // namespace bitwright::server
