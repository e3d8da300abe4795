#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "workers/chat/template_tree.h"

namespace bitwright::worker {

inline constexpr int64_t kMostSteps = 1'000'000;  // expressions and statements of one rendering

// Variables by name; what is not here is looked for in `outer`.
struct Scope {
  std::map<std::string, Value> variables;
  std::shared_ptr<Scope> outer;
};

// Renders one template once. Bounded in steps, in bytes and in depth, since templates come from strangers.
class Interpreter {
 public:
  explicit Interpreter(std::map<std::string, Value> variables);

  // CHAT_TEMPLATE_FAILED (names the line), CHAT_TEMPLATE_UNSUPPORTED, CHAT_TEMPLATE_LIMIT.
  absl::StatusOr<std::string> Render(const Body& body);

 private:
  enum class Flow { kOn, kBreak, kContinue };

  absl::StatusOr<Flow> Run(const Body& body);
  absl::StatusOr<Flow> Execute(const Statement& statement);
  absl::StatusOr<Flow> Loop(const Statement& loop);
  absl::Status Assign(const Statement& set, const Value& value);
  void Unpack(const std::vector<std::string>& targets, const std::vector<Value>& values);
  absl::StatusOr<Value> Written(const Statement& block);
  Value MakeMacro(const Statement& macro);
  absl::StatusOr<Value> CallMacro(const Statement& macro, const std::shared_ptr<Scope>& home,
                                  const CallArguments& arguments);
  absl::Status Write(const std::string& text);

  absl::StatusOr<Value> Evaluate(const Expression& expression);
  absl::StatusOr<Value> Compute(const Expression& expression);
  absl::StatusOr<Value> Comparison(const Expression& chain);
  absl::StatusOr<Value> Container(const Expression& container);
  absl::StatusOr<Value> Part(const Expression& expression, size_t part);  // None when it is absent
  absl::StatusOr<CallArguments> Arguments(const std::vector<Argument>& arguments);
  absl::StatusOr<Value> Lookup(const std::string& name) const;
  // Counts a step and holds the depth.
  absl::Status Step();

  std::shared_ptr<Scope> scope_;
  std::string out_;
  int64_t steps_ = 0;
  int depth_ = 0;
};

}  // namespace bitwright::worker
