#include "client/cli/contexts.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "client/api/client_errors.h"
#include "client/cli/cli_errors.h"
#include "client/cli/near_words.h"
#include "proto/base/files.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {
namespace {

using Json = nlohmann::ordered_json;

// A member of a context, and its name in the file.
struct Field {
  const char* name;
  std::string& (*of)(ServiceContext&);
};
constexpr Field kFields[] = {
    {"server", [](ServiceContext& context) -> std::string& { return context.server; }},
    {"token_file", [](ServiceContext& context) -> std::string& { return context.access.token_file; }},
    {"tls_ca", [](ServiceContext& context) -> std::string& { return context.access.tls_ca; }},
    {"tls_cert", [](ServiceContext& context) -> std::string& { return context.access.tls_cert; }},
    {"tls_key", [](ServiceContext& context) -> std::string& { return context.access.tls_key; }},
};

absl::StatusOr<ServiceContext> ContextOf(const Json& json, const std::string& path) {
  ServiceContext context;
  if (!json.is_object()) return ContextsDamagedError(path, "a context is no object");
  for (const Field& field : kFields) {
    const auto value = json.find(field.name);
    if (value == json.end()) continue;
    if (!value->is_string()) return ContextsDamagedError(path, std::string(field.name) + " is no text");
    field.of(context) = value->get<std::string>();
  }
  if (context.server.empty()) return ContextsDamagedError(path, "a context has no server");
  return context;
}

std::string FirstOf(const std::string& a, const std::string& b) { return a.empty() ? b : a; }

}  // namespace

absl::StatusOr<Contexts> Contexts::Read(const std::string& path) {
  std::error_code unknown;
  if (path.empty() || !std::filesystem::exists(path, unknown)) return Contexts();
  ABSL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path, FileUnreadableError));
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto listed = json.is_object() ? json.find("contexts") : json.end();
  if (!json.is_object() || listed == json.end() || !listed->is_object()) {
    return ContextsDamagedError(path, "it is no JSON object with \"contexts\"");
  }
  Contexts contexts;
  for (const auto& [name, value] : listed->items()) {
    ABSL_ASSIGN_OR_RETURN(contexts.by_name[name], ContextOf(value, path));
  }
  if (const auto current = json.find("current"); current != json.end() && current->is_string()) {
    contexts.current = current->get<std::string>();
  }
  if (!contexts.current.empty() && !contexts.by_name.contains(contexts.current)) {
    return ContextsDamagedError(path, "its current context '" + contexts.current + "' is not among them");
  }
  return contexts;
}

absl::Status Contexts::Write(const std::string& path) const {
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
  Json listed = Json::object();
  for (auto [name, context] : by_name) {
    Json& json = listed[name] = Json::object();
    for (const Field& field : kFields) {
      if (!field.of(context).empty()) json[field.name] = field.of(context);
    }
  }
  const Json json = {{"current", current}, {"contexts", listed}};
  const std::string text = json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  return WritePrivateFile(path, text, FileUnwritableError);
}

absl::StatusOr<ServiceContext> Contexts::Find(const std::string& name) const {
  const auto found = by_name.find(name);
  if (found != by_name.end()) return found->second;
  std::vector<std::string> names;
  names.reserve(by_name.size());
  for (const auto& [known, context] : by_name) names.push_back(known);
  return ContextUnknownError(name, DidYouMean(name, names));
}

std::string ContextsPath(const Environment& environment) {
  return environment.config_dir.empty() ? "" : environment.config_dir + "/bitwright/contexts.json";
}

absl::StatusOr<Environment> InContext(const Options& options, Environment environment) {
  if (!options.context.empty() && !options.server.empty()) {
    return OptionConflictError("--context and --server exclude each other; give one of them");
  }
  if (options.local.local || !options.server.empty()) return environment;
  const std::string named = FirstOf(options.context, environment.context);
  if (named.empty() && !environment.server.empty()) return environment;
  ABSL_ASSIGN_OR_RETURN(const Contexts contexts, Contexts::Read(ContextsPath(environment)));
  const std::string name = FirstOf(named, contexts.current);
  if (name.empty()) return environment;
  ABSL_ASSIGN_OR_RETURN(const ServiceContext context, contexts.Find(name));
  environment.server = context.server;
  environment.access = Completed(environment.access, context.access);
  return environment;
}

}  // namespace bitwright::client
