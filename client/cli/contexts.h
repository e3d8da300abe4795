#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "proto/transfer/access.h"

namespace bitwright::client {

// A service as a user knows it by a name: where it is, and how one shows who one is. Paths are absolute.
struct ServiceContext {
  std::string server;  // HOST:PORT or unix:PATH
  Access access;
};

// The services that a user has named, and which of them commands go to when none is given. Kept in a file, as JSON,
// that only this user reads.
struct Contexts {
  std::string current;  // empty: none
  std::map<std::string, ServiceContext> by_name;

  // As the file has them; none where there is no file. CONTEXTS_DAMAGED, FILE_UNREADABLE.
  static absl::StatusOr<Contexts> Read(const std::string& path);
  // FILE_UNWRITABLE. Makes the folders above it.
  absl::Status Write(const std::string& path) const;
  // The context of that name. CONTEXT_UNKNOWN, with the nearest names.
  absl::StatusOr<ServiceContext> Find(const std::string& name) const;
};

// Where they are kept: XDG_CONFIG_HOME/bitwright/contexts.json. Empty: the environment names no place.
std::string ContextsPath(const Environment& environment);

// The environment as a command finds it: with the service of the context that is meant. That is the one that --context
// or BITWRIGHT_CONTEXT names, or else the current one where neither --server nor BITWRIGHT_SERVER names a service. What
// the environment itself says of access stands above what the context does. OPTION_CONFLICT: --context beside --server;
// errors of Read and Find.
absl::StatusOr<Environment> InContext(const Options& options, Environment environment);

}  // namespace bitwright::client
