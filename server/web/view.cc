#include "server/web/view.h"

#include <kainjow/mustache.hpp>

#include "proto/base/log.h"
#include "server/web/site_files.h"

namespace bitwright::server {
namespace {

namespace mustache = kainjow::mustache;

// Templates that others have as parts. No text of a view has such a name, since it would be filled in as a template.
constexpr const char* kParts[] = {"_estimate", "_form", "_outcome", "_progress"};

std::string TemplateText(const std::string& name) {
  const std::string_view text = SiteFile(name + ".mustache");
  CHECK(!text.empty()) << "no template " << name;
  return std::string(text);
}

mustache::data ToData(const View& view) {
  mustache::data data(mustache::data::type::object);
  for (const auto& [name, value] : view.values()) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      data.set(name, *text);
    } else if (const auto* holds = std::get_if<bool>(&value)) {
      data.set(name, *holds);
    } else {
      mustache::data items(mustache::data::type::list);
      for (const View& item : std::get<View::Items>(value)) items.push_back(ToData(item));
      data.set(name, items);
    }
  }
  return data;
}

}  // namespace

std::string Render(const std::string& name, const View& view) {
  mustache::mustache parsed(TemplateText(name));
  CHECK(parsed.is_valid()) << name << ": " << parsed.error_message();
  mustache::data data = ToData(view);
  for (const std::string part : kParts) {
    data.set(part, mustache::partial([part] { return TemplateText(part); }));
  }
  return parsed.render(data);
}

}  // namespace bitwright::server
