#pragma once

#include <span>

#include "absl/status/statusor.h"
#include "workers/chat/lexer.h"
#include "workers/chat/template_tree.h"

namespace bitwright::worker {

// CHAT_TEMPLATE_INVALID; CHAT_TEMPLATE_UNSUPPORTED for statements that no chat template uses (include, extends …);
// CHAT_TEMPLATE_LIMIT (nesting).
absl::StatusOr<Body> ParseTemplate(std::span<const Token> tokens);

}  // namespace bitwright::worker
