#pragma once

#include <string>
#include <variant>
#include <vector>

#include "client/cli/exit_codes.h"
#include "client/cli/options.h"

namespace bitwright::client {

// The end of the process by the parser: help, version or wrong arguments.
struct ParseEnd {
  ExitCode code = ExitCode::kOk;
  std::string out;  // for standard output
  std::string err;  // for standard error
};

// Arguments without the program's name.
std::variant<Options, ParseEnd> ParseCommandLine(const std::vector<std::string>& arguments);

}  // namespace bitwright::client
