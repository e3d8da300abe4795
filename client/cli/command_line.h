#pragma once

#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/exit_codes.h"
#include "client/cli/options.h"

namespace bitwright::client {

// The end of the process by the parser: help, version, or wrong arguments.
struct ParseEnd {
  std::string out;     // for standard output
  absl::Status error;  // INVALID_ARGUMENT, reason ARGUMENT_INVALID, with what was meant where that can be guessed
  bool json = false;   // whether --json is among the arguments, right or wrong as they are
};

// Arguments without the program's name.
std::variant<Options, ParseEnd> ParseCommandLine(const std::vector<std::string>& arguments);

}  // namespace bitwright::client
