#pragma once

#include "client/cli/command_context.h"

namespace bitwright::client {

// Prints a fresh token, and on a second line what makes a service know it. The token stands nowhere else.
void TokenNew(const CommandContext& context);

}  // namespace bitwright::client
