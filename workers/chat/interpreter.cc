#include "workers/chat/interpreter.h"

#include <algorithm>

#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"
#include "workers/chat/filters.h"
#include "workers/chat/global_functions.h"
#include "workers/chat/operators.h"
#include "workers/chat/tests_of_values.h"

namespace bitwright::worker {
namespace {

constexpr int kMostDepth = 150;  // of calls and expressions

// What a value or a filter refused, at the line where it happened.
absl::Status AtLine(const absl::Status& status, int line) {
  const auto detail = GetErrorDetail(status);
  if (!detail || detail->metadata.contains("limit") || detail->metadata.contains("line")) return status;
  const auto part = detail->metadata.find("part");
  if (part != detail->metadata.end()) return ChatTemplateUnsupportedError(line, part->second);
  return ChatTemplateFailedError(line, std::string(status.message()));
}

Value LoopVariable(const std::vector<Value>& items, size_t at) {
  const auto index = static_cast<int64_t>(at), size = static_cast<int64_t>(items.size());
  Value::Dict loop;          // "depth" counts recursive loops, which there are none of
  loop.is_namespace = true;  // no methods of a dict
  loop.items = {
      {"index", index + 1},  {"index0", index},           {"revindex", size - index}, {"revindex0", size - index - 1},
      {"first", index == 0}, {"last", index + 1 == size}, {"length", size},           {"depth", int64_t{1}},
      {"depth0", int64_t{0}}};
  if (at > 0) loop.Set("previtem", items[at - 1]);
  if (at + 1 < items.size()) loop.Set("nextitem", items[at + 1]);
  loop.Set("cycle", Value::MakeFunction([at](Interpreter&, const CallArguments& choices) -> absl::StatusOr<Value> {
             if (choices.positional.empty()) return ValueError("cycle needs values");
             return choices.positional[at % choices.positional.size()];
           }));
  return Value::MakeDict(std::move(loop));
}

}  // namespace

Interpreter::Interpreter(std::map<std::string, Value> variables) : scope_(std::make_shared<Scope>()) {
  scope_->variables = GlobalFunctions();
  scope_ = std::make_shared<Scope>(Scope{std::move(variables), scope_});
}

absl::StatusOr<std::string> Interpreter::Render(const Body& body) {
  ABSL_RETURN_IF_ERROR(Run(body).status());
  return std::move(out_);
}

absl::Status Interpreter::Step() {
  if (++steps_ > kMostSteps) return ChatTemplateLimitError("steps", kMostSteps);
  if (depth_ > kMostDepth) return ChatTemplateLimitError("levels of calls", kMostDepth);
  return absl::OkStatus();
}

absl::Status Interpreter::Write(const std::string& text) {
  out_ += text;
  return CheckTextBytes(static_cast<int64_t>(out_.size()));
}

absl::StatusOr<Interpreter::Flow> Interpreter::Run(const Body& body) {
  for (const Statement& statement : body) {
    ABSL_RETURN_IF_ERROR(Step());
    ++depth_;
    const absl::StatusOr<Flow> flow = Execute(statement);
    --depth_;
    if (!flow.ok()) return AtLine(flow.status(), statement.line);
    if (*flow != Flow::kOn) return flow;
  }
  return Flow::kOn;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Execute(const Statement& statement) {
  using Kind = Statement::Kind;
  switch (statement.kind) {
    case Kind::kText:
      ABSL_RETURN_IF_ERROR(Write(statement.text));
      break;
    case Kind::kOutput: {
      ABSL_ASSIGN_OR_RETURN(const Value value, Evaluate(*statement.value));
      ABSL_RETURN_IF_ERROR(Write(ToText(value)));
      break;
    }
    case Kind::kFor:
      return Loop(statement);
    case Kind::kIf: {
      ABSL_ASSIGN_OR_RETURN(const Value condition, Evaluate(*statement.condition));
      return Run(condition.Truth() ? statement.body : statement.otherwise);
    }
    case Kind::kSet: {
      ABSL_ASSIGN_OR_RETURN(const Value value, Evaluate(*statement.value));
      ABSL_RETURN_IF_ERROR(Assign(statement, value));
      break;
    }
    case Kind::kSetBlock: {
      ABSL_ASSIGN_OR_RETURN(const Value value, Written(statement));
      ABSL_RETURN_IF_ERROR(Assign(statement, value));
      break;
    }
    case Kind::kFilter: {
      ABSL_ASSIGN_OR_RETURN(const Value value, Written(statement));
      ABSL_RETURN_IF_ERROR(Write(ToText(value)));
      break;
    }
    case Kind::kMacro:
      scope_->variables[statement.targets[0]] = MakeMacro(statement);
      break;
    case Kind::kBody:
      return Run(statement.body);
    case Kind::kWith: {
      const auto outer = scope_;
      auto inner = std::make_shared<Scope>(Scope{{}, outer});
      for (const Argument& variable : statement.arguments) {
        ABSL_ASSIGN_OR_RETURN(inner->variables[variable.name], Evaluate(*variable.value));
      }
      scope_ = inner;
      const absl::StatusOr<Flow> flow = Run(statement.body);
      scope_ = outer;
      return flow;
    }
    case Kind::kBreak:
      return Flow::kBreak;
    case Kind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kOn;
}

absl::StatusOr<Interpreter::Flow> Interpreter::Loop(const Statement& loop) {
  ABSL_ASSIGN_OR_RETURN(const Value sequence, Evaluate(*loop.value));
  ABSL_ASSIGN_OR_RETURN(std::vector<Value> items, Items(sequence));
  const auto outer = scope_;
  const auto unpacked = [&](const Value& item) -> absl::StatusOr<std::vector<Value>> {
    if (loop.targets.size() == 1) return std::vector<Value>{item};
    ABSL_ASSIGN_OR_RETURN(std::vector<Value> parts, Items(item));
    if (parts.size() != loop.targets.size()) return ValueError("a loop over pairs meets an item of another length");
    return parts;
  };
  if (loop.condition != nullptr) {
    std::vector<Value> kept;
    for (const Value& item : items) {
      ABSL_ASSIGN_OR_RETURN(const std::vector<Value> parts, unpacked(item));
      scope_ = std::make_shared<Scope>(Scope{{}, outer});
      Unpack(loop.targets, parts);
      const absl::StatusOr<Value> wanted = Evaluate(*loop.condition);
      scope_ = outer;
      ABSL_RETURN_IF_ERROR(wanted.status());
      if (wanted->Truth()) kept.push_back(item);
    }
    items = std::move(kept);
  }
  for (size_t i = 0; i < items.size(); ++i) {
    ABSL_RETURN_IF_ERROR(Step());
    ABSL_ASSIGN_OR_RETURN(const std::vector<Value> parts, unpacked(items[i]));
    scope_ = std::make_shared<Scope>(Scope{{}, outer});
    scope_->variables["loop"] = LoopVariable(items, i);
    Unpack(loop.targets, parts);
    const absl::StatusOr<Flow> flow = Run(loop.body);
    scope_ = outer;
    ABSL_RETURN_IF_ERROR(flow.status());
    if (*flow == Flow::kBreak) break;
  }
  return items.empty() ? Run(loop.otherwise) : Flow::kOn;
}

void Interpreter::Unpack(const std::vector<std::string>& targets, const std::vector<Value>& values) {
  for (size_t i = 0; i < targets.size(); ++i) scope_->variables[targets[i]] = values[i];
}

absl::Status Interpreter::Assign(const Statement& set, const Value& value) {
  if (!set.attribute.empty()) {
    ABSL_ASSIGN_OR_RETURN(Value target, Lookup(set.targets[0]));
    if (!target.is_dict() || !target.dict().is_namespace) {
      return ValueError("'" + set.targets[0] + "' is no namespace, so its attributes cannot be set");
    }
    target.dict().Set(set.attribute, value);
    return absl::OkStatus();
  }
  if (set.targets.size() == 1) {
    scope_->variables[set.targets[0]] = value;
    return absl::OkStatus();
  }
  ABSL_ASSIGN_OR_RETURN(const std::vector<Value> parts, Items(value));
  if (parts.size() != set.targets.size())
    return ValueError("an assignment to several names meets another number of values");
  Unpack(set.targets, parts);
  return absl::OkStatus();
}

// What a block writes, through its filters.
absl::StatusOr<Value> Interpreter::Written(const Statement& block) {
  std::string before;
  std::swap(before, out_);
  const auto outer = scope_;
  scope_ = std::make_shared<Scope>(Scope{{}, outer});
  const absl::StatusOr<Flow> flow = Run(block.body);
  scope_->variables[kWritten] = out_;
  absl::StatusOr<Value> value = Value(out_);
  if (flow.ok() && block.value != nullptr) value = Evaluate(*block.value);
  scope_ = outer;
  out_ = std::move(before);
  ABSL_RETURN_IF_ERROR(flow.status());
  return value;
}

Value Interpreter::MakeMacro(const Statement& macro) {
  // A weak reference: the macro lies in the scope that it is called in.
  const std::weak_ptr<Scope> home = scope_;
  return Value::MakeFunction([this, &macro, home](Interpreter&, const CallArguments& arguments) {
    return CallMacro(macro, home.lock(), arguments);
  });
}

absl::StatusOr<Value> Interpreter::CallMacro(const Statement& macro, const std::shared_ptr<Scope>& home,
                                             const CallArguments& arguments) {
  ABSL_RETURN_IF_ERROR(Step());
  if (home == nullptr) return ValueError("macro '" + macro.targets[0] + "' is called outside of its block");
  if (arguments.positional.size() > macro.arguments.size()) {
    return ValueError("macro '" + macro.targets[0] + "' takes fewer arguments");
  }
  const auto caller = scope_;
  scope_ = std::make_shared<Scope>(Scope{{}, home});
  std::string before;
  std::swap(before, out_);
  absl::Status status;
  for (size_t i = 0; i < macro.arguments.size() && status.ok(); ++i) {
    const Argument& parameter = macro.arguments[i];
    Value value = Value::MakeUndefined(parameter.name);
    if (const Value* given = arguments.Find(parameter.name, i)) {
      value = *given;
    } else if (parameter.value != nullptr) {
      const absl::StatusOr<Value> standard = Evaluate(*parameter.value);
      status.Update(standard.status());
      if (standard.ok()) value = *standard;
    }
    scope_->variables[parameter.name] = std::move(value);
  }
  if (status.ok()) status = Run(macro.body).status();
  Value written(std::move(out_));
  out_ = std::move(before);
  scope_ = caller;
  ABSL_RETURN_IF_ERROR(status);
  return written;
}

absl::StatusOr<Value> Interpreter::Lookup(const std::string& name) const {
  for (const Scope* scope = scope_.get(); scope != nullptr; scope = scope->outer.get()) {
    if (const auto found = scope->variables.find(name); found != scope->variables.end()) return found->second;
  }
  return Value::MakeUndefined(name);
}

absl::StatusOr<Value> Interpreter::Evaluate(const Expression& expression) {
  ABSL_RETURN_IF_ERROR(Step());
  ++depth_;
  absl::StatusOr<Value> value = Compute(expression);
  --depth_;
  if (!value.ok()) return AtLine(value.status(), expression.line);
  return value;
}

absl::StatusOr<Value> Interpreter::Part(const Expression& expression, size_t part) {
  if (part >= expression.parts.size() || expression.parts[part] == nullptr) return Value();
  return Evaluate(*expression.parts[part]);
}

absl::StatusOr<CallArguments> Interpreter::Arguments(const std::vector<Argument>& arguments) {
  CallArguments given;
  for (const Argument& argument : arguments) {
    ABSL_ASSIGN_OR_RETURN(Value value, Evaluate(*argument.value));
    if (argument.name.empty()) {
      given.positional.push_back(std::move(value));
    } else {
      given.named.emplace_back(argument.name, std::move(value));
    }
  }
  return given;
}

absl::StatusOr<Value> Interpreter::Comparison(const Expression& chain) {
  ABSL_ASSIGN_OR_RETURN(Value left, Part(chain, 0));
  for (size_t i = 0; i < chain.operators.size(); ++i) {
    ABSL_ASSIGN_OR_RETURN(Value right, Part(chain, i + 1));
    ABSL_ASSIGN_OR_RETURN(const bool holds, Compare(chain.operators[i], left, right));
    if (!holds) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

absl::StatusOr<Value> Interpreter::Container(const Expression& container) {
  std::vector<Value> values;
  for (size_t i = 0; i < container.parts.size(); ++i) {
    ABSL_ASSIGN_OR_RETURN(Value value, Part(container, i));
    values.push_back(std::move(value));
  }
  if (container.kind != Expression::Kind::kDict) {
    return Value::MakeList(std::move(values), container.kind == Expression::Kind::kTuple);
  }
  Value::Dict dict;
  for (size_t i = 0; i + 1 < values.size(); i += 2) {
    if (!values[i].is_string()) return ValueError("the keys of a dict must be strings, not " + values[i].TypeName());
    dict.Set(values[i].string(), values[i + 1]);
  }
  return Value::MakeDict(std::move(dict));
}

absl::StatusOr<Value> Interpreter::Compute(const Expression& expression) {
  using Kind = Expression::Kind;
  switch (expression.kind) {
    case Kind::kConstant:
      return expression.constant;
    case Kind::kName:
      return Lookup(expression.name);
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
      return Container(expression);
    case Kind::kCompare:
      return Comparison(expression);
    case Kind::kConditional: {
      ABSL_ASSIGN_OR_RETURN(const Value condition, Part(expression, 1));
      if (condition.Truth()) return Part(expression, 0);
      if (expression.parts[2] == nullptr) return Value::MakeUndefined("a condition without else");
      return Part(expression, 2);
    }
    default:
      break;
  }
  if (expression.kind == Kind::kTest && !IsTest(expression.name)) {
    return ChatTemplateUnsupportedError(expression.line, "the test '" + expression.name + "'");
  }
  ABSL_ASSIGN_OR_RETURN(const Value first, Part(expression, 0));
  switch (expression.kind) {
    case Kind::kAnd:
      return first.Truth() ? Part(expression, 1) : absl::StatusOr<Value>(first);
    case Kind::kOr:
      return first.Truth() ? absl::StatusOr<Value>(first) : Part(expression, 1);
    case Kind::kNot:
      return Value(!first.Truth());
    case Kind::kNegative:
      return Negated(first);
    case Kind::kPositive:
      return first.is_number() ? absl::StatusOr<Value>(first) : ValueError("'+' does not work on " + first.TypeName());
    case Kind::kAttribute:
      return Attribute(first, expression.name);
    case Kind::kItem: {
      ABSL_ASSIGN_OR_RETURN(const Value key, Part(expression, 1));
      return Item(first, key);
    }
    case Kind::kSlice: {
      ABSL_ASSIGN_OR_RETURN(const Value begin, Part(expression, 1));
      ABSL_ASSIGN_OR_RETURN(const Value end, Part(expression, 2));
      ABSL_ASSIGN_OR_RETURN(const Value step, Part(expression, 3));
      return Slice(first, begin, end, step);
    }
    case Kind::kBinary: {
      ABSL_ASSIGN_OR_RETURN(const Value second, Part(expression, 1));
      return Binary(expression.name, first, second);
    }
    default:
      break;
  }
  ABSL_ASSIGN_OR_RETURN(const CallArguments arguments, Arguments(expression.arguments));
  if (expression.kind == Kind::kFilter) return ApplyFilter(*this, expression.name, first, arguments);
  if (expression.kind == Kind::kTest) {
    ABSL_ASSIGN_OR_RETURN(const bool holds, ApplyTest(expression.name, first, arguments));
    return Value(holds);
  }
  if (first.is_undefined()) return ValueError("'" + first.undefined_name() + "' is undefined");
  if (!first.is_function()) return ValueError(first.TypeName() + " cannot be called");
  return first.function()(*this, arguments);
}

}  // namespace bitwright::worker
