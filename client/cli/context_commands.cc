#include "client/cli/context_commands.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "client/cli/cli_errors.h"
#include "client/cli/contexts.h"
#include "proto/base/status_macros.h"
#include "proto/report/number_text.h"
#include "proto/report/text_table.h"

namespace bitwright::client {
namespace {

using Json = nlohmann::ordered_json;

absl::StatusOr<std::string> PathOf(const CommandContext& context) {
  const std::string path = ContextsPath(context.environment);
  if (path.empty()) return ContextsNowhereError();
  return path;
}

// As one that holds from every folder; `system` is no file.
std::string Absolute(const std::string& path) {
  std::error_code unknown;
  return path.empty() || path == kSystemCa ? path : std::filesystem::absolute(path, unknown).string();
}

std::string AccessText(const Access& access) {
  std::string text = access.tls() ? "TLS" : "plaintext";
  if (!access.token_file.empty()) absl::StrAppend(&text, ", token of ", access.token_file);
  if (!access.tls_cert.empty()) absl::StrAppend(&text, ", certificate ", access.tls_cert);
  return text;
}

}  // namespace

absl::StatusOr<ExitCode> ContextList(const CommandContext& context) {
  ABSL_ASSIGN_OR_RETURN(const Contexts contexts, Contexts::Read(ContextsPath(context.environment)));
  using Align = TextTable::Align;
  TextTable table({{"context", Align::kLeft}, {"service", Align::kLeft}, {"access", Align::kLeft}});
  Json all = Json::array();
  for (const auto& [name, service] : contexts.by_name) {
    const bool current = name == contexts.current;
    table.Add({(current ? "* " : "  ") + Printable(name, 63), Printable(service.server, 100),
               Printable(AccessText(service.access), 200)});
    all.push_back({{"name", name}, {"server", service.server}, {"current", current}, {"tls", service.access.tls()}});
  }
  const std::string none = "no contexts; `bitwright context set NAME --server HOST:PORT` names a service\n";
  context.console.Result(contexts.by_name.empty() ? none : table.ToText(200), all.dump(1));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ContextSet(const CommandContext& context) {
  const Options& options = context.options;
  if (options.server.empty()) {
    return ArgumentInvalidError("--server is required", "a context is the name of a service");
  }
  ABSL_ASSIGN_OR_RETURN(const std::string path, PathOf(context));
  ABSL_ASSIGN_OR_RETURN(Contexts contexts, Contexts::Read(path));
  const bool first = contexts.by_name.empty();
  contexts.by_name[options.name] = {.server = options.server,
                                    .access = {.token_file = Absolute(options.access.token_file),
                                               .tls_ca = Absolute(options.access.tls_ca),
                                               .tls_cert = Absolute(options.access.tls_cert),
                                               .tls_key = Absolute(options.access.tls_key)}};
  if (first) contexts.current = options.name;
  ABSL_RETURN_IF_ERROR(contexts.Write(path));
  const bool current = contexts.current == options.name;
  context.console.Result(
      absl::StrCat("context ", options.name, " is ", options.server,
                   current ? "; commands go there" : "; `bitwright context use " + options.name + "` goes there"),
      Json{{"name", options.name}, {"server", options.server}, {"current", current}}.dump(1));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ContextUse(const CommandContext& context) {
  ABSL_ASSIGN_OR_RETURN(const std::string path, PathOf(context));
  ABSL_ASSIGN_OR_RETURN(Contexts contexts, Contexts::Read(path));
  ABSL_ASSIGN_OR_RETURN(const ServiceContext service, contexts.Find(context.options.name));
  contexts.current = context.options.name;
  ABSL_RETURN_IF_ERROR(contexts.Write(path));
  context.console.Result(absl::StrCat("commands go to ", service.server),
                         Json{{"name", contexts.current}, {"server", service.server}, {"current", true}}.dump(1));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ContextDelete(const CommandContext& context) {
  ABSL_ASSIGN_OR_RETURN(const std::string path, PathOf(context));
  ABSL_ASSIGN_OR_RETURN(Contexts contexts, Contexts::Read(path));
  ABSL_RETURN_IF_ERROR(contexts.Find(context.options.name).status());
  contexts.by_name.erase(context.options.name);
  if (contexts.current == context.options.name) contexts.current.clear();
  ABSL_RETURN_IF_ERROR(contexts.Write(path));
  context.console.Result("context " + context.options.name + " is deleted",
                         Json{{"name", context.options.name}}.dump(1));
  return ExitCode::kOk;
}

}  // namespace bitwright::client
