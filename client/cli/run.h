#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/exit_codes.h"
#include "client/cli/options.h"
#include "proto/base/cancel_token.h"

namespace bitwright::client {

// The whole program without its process: arguments (without the program's name) to results on `out`, everything else on
// `err`, and the exit code. The token ends whatever runs.
ExitCode RunCommandLine(const std::vector<std::string>& arguments, const Environment& environment,
                        std::shared_ptr<CancelToken> cancel, std::ostream& out, std::ostream& err);

}  // namespace bitwright::client
