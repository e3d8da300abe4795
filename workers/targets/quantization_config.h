#pragma once

#include <nlohmann/json.hpp>

#include "bitwright/v1/plans.pb.h"

namespace bitwright::worker {

// The quantization_config that compressed-tensors (0.20) and vLLM read: one group of linears, by explicit name, for
// each format in use. For sources of this folder only (heavy header).
nlohmann::ordered_json QuantizationConfig(const v1::Plan& plan,
                                          const google::protobuf::RepeatedPtrField<v1::UnitInfo>& units);

}  // namespace bitwright::worker
