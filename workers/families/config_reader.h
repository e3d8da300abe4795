#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/kernels/elementwise.h"

namespace bitwright::worker {

// A key of a family's config.json as transformers' configuration class of the family declares it: which JSON types it
// takes, and what it means when it is absent. Absent, null and present are three cases: null is a value of its own
// where the class allows it, and refused elsewhere.
struct ConfigKey {
  enum Types : unsigned { kInt = 1, kFraction = 2, kBool = 4, kText = 8, kNull = 16, kInts = 32, kTexts = 64 };
  static constexpr double kNone = -1e308;

  std::string_view name;
  unsigned types = 0;
  double fallback = kNone;  // of numbers and flags; kNone: null
};

// Reads the keys of one config.json. Keeps references to its arguments.
class ConfigReader {
 public:
  ConfigReader(const nlohmann::json& config, std::span<const ConfigKey> keys) : config_(config), keys_(keys) {}

  // Whether every declared key that is present has a type that the class takes; also those that no arithmetic reads,
  // because the reader refuses the model for them as well. CONFIG_INVALID: names the key.
  absl::Status CheckTypes() const;

  // What is there, else the family's default; null where that is "none" and where the family declares no such key.
  nlohmann::json Key(std::string_view name) const;
  bool Flag(std::string_view name) const;
  double Number(std::string_view name) const;  // 0 where it is null
  // A size from 1 to kMaxSize, or `fallback` where the key is null or not the family's. CONFIG_INVALID.
  absl::StatusOr<int64_t> Size(const char* name, int64_t fallback = 0) const;
  // Epsilon of a norm: finite, ≥ 0. CONFIG_INVALID.
  absl::StatusOr<double> Epsilon(const char* name) const;
  // A factor: finite, not 0. CONFIG_INVALID.
  absl::StatusOr<double> Factor(const char* name) const;
  // CONFIG_UNSUPPORTED: another function; `fallback` where the key is absent.
  absl::StatusOr<Activation> ActivationOf(const char* name, std::string_view fallback) const;
  // CONFIG_UNSUPPORTED where the flag is not `wanted`.
  absl::Status Require(const char* name, bool wanted) const;

  const nlohmann::json& config() const { return config_; }

  // Largest value of any size: keeps all products below 2^63.
  static constexpr int64_t kMaxSize = int64_t{1} << 24;

 private:
  const ConfigKey* Find(std::string_view name) const;

  const nlohmann::json& config_;
  std::span<const ConfigKey> keys_;
};

}  // namespace bitwright::worker
