#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/api/client.h"

// A resource as people name it: by its full name ("jobs/3f…"), its id, the beginning of its id (4 letters or more) or
// its display name.
namespace bitwright::client {

// NOT_FOUND: JOB_NOT_FOUND, MODEL_NOT_FOUND, RECIPE_NOT_FOUND (with what was perhaps meant). INVALID_ARGUMENT, reason
// NAME_AMBIGUOUS: several fit; the message lists them.
absl::StatusOr<v1::Job> FindJob(Client& client, const std::string& typed);
absl::StatusOr<v1::Model> FindModel(Client& client, const std::string& typed);
// The full name of a worker. Also WORKER_NOT_FOUND, with those that there are.
absl::StatusOr<std::string> FindWorker(Client& client, const std::string& typed);
absl::StatusOr<v1::Recipe> FindRecipe(Client& client, const std::string& typed);

// "jobs/x" and "x" to "jobs/x"; what has a slash stays as it is.
std::string FullName(std::string_view collection, const std::string& name);

// "recipes/x" and "x" to "x".
std::string IdOf(std::string_view collection, const std::string& name);

// `field = "value"` of a list's filter, with quotes and backslashes in the value escaped.
std::string Condition(std::string_view field, std::string_view value);

}  // namespace bitwright::client
