#include "client/cli/token_command.h"

#include <nlohmann/json.hpp>

#include "proto/contract/principals.h"

namespace bitwright::client {

void TokenNew(const CommandContext& context) {
  const TokenOptions& wanted = context.options.token;
  const std::string token = MakeToken();
  const std::string line = TokensFileLine(wanted.name, wanted.tenant, wanted.roles, token);
  const nlohmann::ordered_json all = {
      {"token", token}, {"line", line}, {"name", wanted.name}, {"tenant", wanted.tenant}, {"roles", wanted.roles}};
  context.console.Result(token + "\n" + line, all.dump(1));
  context.console.Note(
      "the first line is for whoever calls, in a file for --token-file; the second for the --tokens-file of the "
      "server");
}

}  // namespace bitwright::client
