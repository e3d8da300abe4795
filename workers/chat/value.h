#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright::worker {

class Interpreter;
struct CallArguments;

// A value of a template: Python's, as far as chat templates use them. Copies of lists and dicts share what they hold.
class Value {
 public:
  struct None {};
  struct Undefined {
    std::string name;  // of what was looked up, for errors
  };
  struct List {
    std::vector<Value> items;
    bool tuple = false;
  };
  // Keys are strings, in the order of insertion.
  struct Dict {
    std::vector<std::pair<std::string, Value>> items;
    bool is_namespace = false;  // the only kind that a template may change

    const Value* Find(std::string_view key) const;
    void Set(const std::string& key, Value value);
  };
  using Function = std::function<absl::StatusOr<Value>(Interpreter&, const CallArguments&)>;

  Value() : data_(None{}) {}
  Value(bool value) : data_(value) {}
  Value(int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(const char* value) : data_(std::string(value)) {}
  static Value MakeUndefined(std::string name) { return Value(Data(Undefined{std::move(name)})); }
  static Value MakeList(std::vector<Value> items, bool tuple = false);
  static Value MakeDict(Dict dict);
  static Value MakeFunction(Function function);

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_int() const { return std::holds_alternative<int64_t>(data_); }
  bool is_float() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_int() || is_float() || is_bool(); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_list() const { return std::holds_alternative<std::shared_ptr<List>>(data_); }
  bool is_dict() const { return std::holds_alternative<std::shared_ptr<Dict>>(data_); }
  bool is_function() const { return std::holds_alternative<std::shared_ptr<Function>>(data_); }

  // Each only when is_…() of the same name.
  bool boolean() const { return std::get<bool>(data_); }
  const std::string& string() const { return std::get<std::string>(data_); }
  const List& list() const { return *std::get<std::shared_ptr<List>>(data_); }
  const Dict& dict() const { return *std::get<std::shared_ptr<Dict>>(data_); }
  Dict& dict() { return *std::get<std::shared_ptr<Dict>>(data_); }
  const Function& function() const { return *std::get<std::shared_ptr<Function>>(data_); }
  const std::string& undefined_name() const { return std::get<Undefined>(data_).name; }
  int64_t integer() const;  // of a bool or an int
  double number() const;    // of a bool, an int or a float

  bool Truth() const;
  std::string TypeName() const;  // as Python calls it: "str", "list" …

 private:
  using Data = std::variant<None, Undefined, bool, int64_t, double, std::string, std::shared_ptr<List>,
                            std::shared_ptr<Dict>, std::shared_ptr<Function>>;
  explicit Value(Data data) : data_(std::move(data)) {}

  Data data_;
};

// What a call or a filter is given.
struct CallArguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  // The argument with this name, or else at this place; null when it is not given.
  const Value* Find(std::string_view name, size_t place) const;
};

// As Python's str(): what {{ }} writes. Undefined is empty.
std::string ToText(const Value& value);
// As Python's repr(): how a string stands inside of a list.
std::string ToRepr(const Value& value);
// As Python's str() of a float: the shortest digits that read back as the same number.
std::string FloatText(double value);

}  // namespace bitwright::worker
