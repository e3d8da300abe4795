#pragma once

#include <memory>
#include <string>
#include <vector>

#include "workers/chat/value.h"

// A template, parsed. Names and meaning are those of Jinja 3 (jinja.palletsprojects.com, "Template Designer
// Documentation").
namespace bitwright::worker {

struct Expression;
using ExpressionPtr = std::unique_ptr<const Expression>;

struct Argument {
  std::string name;  // empty: positional
  ExpressionPtr value;
};

struct Expression {
  enum class Kind {
    kConstant,
    kName,
    kList,
    kTuple,
    kDict,       // parts: key, value, key, value …
    kAttribute,  // parts[0].name
    kItem,       // parts[0][parts[1]]
    kSlice,      // parts[0][parts[1]:parts[2]:parts[3]], the last three may be null
    kCall,       // parts[0](arguments)
    kFilter,     // parts[0] | name(arguments)
    kTest,       // parts[0] is name(arguments)
    kNegative,
    kPositive,
    kNot,
    kAnd,
    kOr,
    kBinary,       // parts[0] name parts[1], name one of + - * / // % ** ~
    kCompare,      // parts[0] operators[0] parts[1] operators[1] …; operators also "in", "not in"
    kConditional,  // parts[0] if parts[1] else parts[2], the last may be null
  };
  Kind kind = Kind::kConstant;
  int line = 1;
  Value constant;
  std::string name;
  std::vector<ExpressionPtr> parts;
  std::vector<std::string> operators;
  std::vector<Argument> arguments;
};

struct Statement;
using Body = std::vector<Statement>;

struct Statement {
  enum class Kind {
    kText,      // text
    kOutput,    // value
    kFor,       // targets in value if condition: body, otherwise
    kIf,        // condition: body, otherwise
    kSet,       // targets = value; with an attribute: targets[0].attribute = value
    kSetBlock,  // targets[0] = what body writes, through filters of `value` (a chain on a placeholder) if any
    kMacro,     // targets[0](arguments with defaults): body
    kFilter,    // what body writes, through `value`
    kBody,      // body alone: {% generation %}
    kWith,      // arguments as variables: body
    kBreak,
    kContinue,
  };
  Kind kind = Kind::kText;
  int line = 1;
  std::string text;
  std::vector<std::string> targets;
  std::string attribute;
  ExpressionPtr value;
  ExpressionPtr condition;
  std::vector<Argument> arguments;
  Body body;
  Body otherwise;
};

// The variable that stands for what a block wrote, in the chain of filters of kSetBlock and kFilter.
inline constexpr char kWritten[] = "\x01";

}  // namespace bitwright::worker
