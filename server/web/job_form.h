#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/jobs.pb.h"

namespace bitwright::server {

// The fields of the form of a new job, from a query or from a form alike. Pure.
class JobForm {
 public:
  using Fields = std::multimap<std::string, std::string>;

  // `model`: its name.
  JobForm(std::string model, Fields fields) : model_(std::move(model)), fields_(std::move(fields)) {}

  // Of the first field of that name; empty: there is none.
  std::string Field(const std::string& name) const;
  const std::string& model() const { return model_; }
  // Whether the box with this value is ticked.
  bool Has(const std::string& name, const std::string& value) const;
  // Ticks boxes that nobody asked about yet.
  void Default(const std::string& name, const std::string& value);

  // All but the texts: a goal for each target and each budget. Without a budget the goals have none, as CreateJob
  // allows with validate_only. BUDGET_INVALID, NUMBER_INVALID.
  absl::StatusOr<v1::JobSpec> Spec() const;

 private:
  const std::string model_;
  Fields fields_;
};

}  // namespace bitwright::server
