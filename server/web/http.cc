#include "server/web/http.h"

#include "absl/strings/str_format.h"

namespace bitwright::server {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::string FirstOf(const std::multimap<std::string, std::string>& values, const std::string& name) {
  const auto found = values.lower_bound(name);
  return found == values.end() || found->first != name ? "" : found->second;
}

}  // namespace

std::string HttpForm::Field(const std::string& name) const { return FirstOf(fields, name); }

std::vector<std::string> HttpForm::Fields(const std::string& name) const {
  std::vector<std::string> values;
  const auto [begin, end] = fields.equal_range(name);
  for (auto field = begin; field != end; ++field) values.push_back(field->second);
  return values;
}

std::string HttpRequest::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string HttpRequest::Query(const std::string& name) const { return FirstOf(query, name); }

HttpResponse& HttpResponse::With(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

std::string UrlEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string AttachmentNamed(std::string_view name) {
  std::string plain;
  for (const char c : name) plain += IsUnreserved(c) || c == ' ' ? c : '_';
  return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + UrlEncoded(name);
}

}  // namespace bitwright::server
