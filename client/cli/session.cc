#include "client/cli/session.h"

#include "client/cli/cli_errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/devices.h"
#include "proto/contract/trace_context.h"

namespace bitwright::client {
namespace {

constexpr char kDefaultAddress[] = "127.0.0.1:7071";
// A service of our own that does not answer has died; there is no restart to wait for.
constexpr absl::Duration kLocalGiveUp = absl::Seconds(10);
// Whoever asks whether a service is well does not wait until it is.
constexpr absl::Duration kDoctorGiveUp = absl::Seconds(3);

bool MayBeLocal(Command command) { return command == Command::kQuantize || command == Command::kPlan; }

absl::Status CheckOptions(const Options& options, bool local) {
  if (options.local.local && !options.server.empty()) {
    return OptionConflictError("--local and --server exclude each other; give one of them");
  }
  const bool local_options =
      options.local.threads > 0 || options.local.workers > 0 || !options.local.keep_data_dir.empty();
  if (local_options && !local) {
    return OptionConflictError(
        "--threads, --workers and --keep-data-dir are for a local service; leave them out, or give --local");
  }
  const bool access_options = !options.access.token_file.empty() || options.access.tls();
  if (access_options && local) {
    return OptionConflictError(
        "--token-file, --tls-ca, --tls-cert and --tls-key are for a service that is named; give --server, or leave "
        "them out");
  }
  return absl::OkStatus();
}

// In which trace the command is, for whoever called it in one; what is malformed is not passed on.
std::map<std::string, std::string> TraceMetadata(const Environment& environment) {
  const std::optional<TraceContext> parent = ParseTraceParent(environment.traceparent);
  if (!parent) return {};
  std::map<std::string, std::string> metadata = {{kTraceParentKey, TraceParentText(*parent)}};
  if (IsTraceState(environment.tracestate)) metadata.emplace(kTraceStateKey, environment.tracestate);
  return metadata;
}

}  // namespace

bool Session::WouldBeLocal(const Options& options, const Environment& environment) {
  const std::string& named = options.server.empty() ? environment.server : options.server;
  return MayBeLocal(options.command) && (options.local.local || named.empty());
}

absl::StatusOr<std::unique_ptr<Session>> Session::Open(const Options& options, const Environment& environment,
                                                       std::shared_ptr<CancelToken> cancel,
                                                       const std::string& data_dir) {
  const std::string& named = options.server.empty() ? environment.server : options.server;
  const bool local = WouldBeLocal(options, environment);
  ABSL_RETURN_IF_ERROR(CheckOptions(options, local));
  ConnectionOptions connection;
  connection.address = named.empty() ? kDefaultAddress : named;
  connection.cancel = cancel;
  connection.metadata = TraceMetadata(environment);
  if (!local) connection.access = Completed(options.access, environment.access);
  std::unique_ptr<LocalServer> server;
  if (local) {
    LocalOptions of_server = options.local;
    if (!data_dir.empty()) of_server.keep_data_dir = data_dir;
    of_server.device = std::string(WantedDevice(options.job.device));
    ABSL_ASSIGN_OR_RETURN(server, LocalServer::Start(of_server, environment, cancel));
    connection.address = server->address();
    connection.retry.give_up = kLocalGiveUp;
  }
  if (options.command == Command::kDoctor) connection.retry.give_up = kDoctorGiveUp;
  const std::string address = connection.address;
  ABSL_ASSIGN_OR_RETURN(Client client, Client::ConnectTo(std::move(connection)));
  return std::unique_ptr<Session>(new Session(address, std::move(server), std::move(client)));
}

}  // namespace bitwright::client
