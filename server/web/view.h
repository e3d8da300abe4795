#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace bitwright::server {

// What a template is filled with: texts, conditions, and parts that are there once for each item. A value.
class View {
 public:
  using Items = std::vector<View>;
  using Value = std::variant<std::string, bool, Items>;

  View& Text(const std::string& name, std::string text) { return Put(name, std::move(text)); }
  View& If(const std::string& name, bool holds) { return Put(name, holds); }
  // A part that is there once, with names of its own.
  View& Part(const std::string& name, View part) { return Put(name, Items{std::move(part)}); }
  View& Each(const std::string& name, Items items) { return Put(name, std::move(items)); }
  // The text, and a condition "has_NAME" where it is not empty.
  View& Optional(const std::string& name, std::string text) {
    If("has_" + name, !text.empty());
    return Text(name, std::move(text));
  }

  const std::map<std::string, Value>& values() const { return values_; }

 private:
  View& Put(const std::string& name, Value value) {
    values_[name] = std::move(value);
    return *this;
  }
  std::map<std::string, Value> values_;
};

// Fills site/NAME.mustache, which must exist; every text is escaped for HTML, but for "body" of the layout. A
// template may have others as parts ({{> _NAME}}).
std::string Render(const std::string& name, const View& view);

}  // namespace bitwright::server
