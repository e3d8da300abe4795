#include "workers/chat/chat_template.h"

#include <array>
#include <nlohmann/json.hpp>

#include "proto/base/status_macros.h"
#include "workers/chat/chat_errors.h"
#include "workers/chat/interpreter.h"
#include "workers/chat/lexer.h"
#include "workers/chat/parser.h"

namespace bitwright::worker {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMostSourceBytes = size_t{1} << 20;
constexpr std::array kTokens{"bos_token", "eos_token", "pad_token", "unk_token",
                             "sep_token", "cls_token", "mask_token"};

// Nesting is bounded by the parser of JSON lines (its depth follows the text's), which a line of 1 GiB could exhaust;
// so it is bounded here.
constexpr int kMostDepth = 64;

absl::StatusOr<Value> FromJson(const ordered_json& json, int depth) {
  if (depth > kMostDepth) return ChatTemplateLimitError("levels of JSON", kMostDepth);
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_number_integer()) return Value(json.get<int64_t>());
  if (json.is_number_float()) return Value(json.get<double>());
  if (json.is_string()) return Value(json.get<std::string>());
  if (json.is_array()) {
    std::vector<Value> items;
    for (const ordered_json& item : json) {
      ABSL_ASSIGN_OR_RETURN(Value value, FromJson(item, depth + 1));
      items.push_back(std::move(value));
    }
    return Value::MakeList(std::move(items));
  }
  if (!json.is_object()) return Value();
  Value::Dict dict;
  for (const auto& item : json.items()) {
    ABSL_ASSIGN_OR_RETURN(Value value, FromJson(item.value(), depth + 1));
    dict.Set(item.key(), std::move(value));
  }
  return Value::MakeDict(std::move(dict));
}

// A template as tokenizer_config.json holds it; empty when it holds none.
absl::StatusOr<std::string> TemplateIn(const ordered_json& config) {
  if (!config.contains("chat_template") || config["chat_template"].is_null()) return std::string();
  const ordered_json& held = config["chat_template"];
  if (held.is_string()) return held.get<std::string>();
  if (held.is_array()) {
    for (const ordered_json& named : held) {
      if (named.is_object() && named.value("name", ordered_json()) == "default" && named.contains("template") &&
          named["template"].is_string()) {
        return named["template"].get<std::string>();
      }
    }
    return ChatTemplateInvalidError(1, "none of the named templates is called 'default'");
  }
  return ChatTemplateInvalidError(1, "chat_template is neither a text nor a list of named texts");
}

// A special token is a string, or an object that describes an added token.
void ReadTokens(const ordered_json& config, std::map<std::string, std::string>& tokens) {
  for (const char* name : kTokens) {
    if (!config.contains(name)) continue;
    const ordered_json& token = config[name];
    if (token.is_string()) tokens[name] = token.get<std::string>();
    if (token.is_object() && token.contains("content") && token["content"].is_string()) {
      tokens[name] = token["content"].get<std::string>();
    }
  }
}

absl::StatusOr<ordered_json> ParseObject(std::string_view text, std::string_view file) {
  if (text.empty()) return ordered_json::object();
  ordered_json json = ordered_json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return ChatTemplateInvalidError(1, std::string(file) + " is not a JSON object");
  return json;
}

}  // namespace

absl::StatusOr<ChatSettings> ReadChatSettings(std::string_view tokenizer_config_json, std::string_view template_jinja,
                                              std::string_view chat_template_json) {
  ChatSettings settings;
  ABSL_ASSIGN_OR_RETURN(const ordered_json config, ParseObject(tokenizer_config_json, "tokenizer_config.json"));
  ReadTokens(config, settings.tokens);
  settings.source = template_jinja;
  if (settings.source.empty()) {
    ABSL_ASSIGN_OR_RETURN(settings.source, TemplateIn(config));
  }
  if (settings.source.empty()) {
    ABSL_ASSIGN_OR_RETURN(const ordered_json other, ParseObject(chat_template_json, "chat_template.json"));
    ABSL_ASSIGN_OR_RETURN(settings.source, TemplateIn(other));
  }
  return settings;
}

struct ChatTemplate::Parts {
  Body body;
  std::map<std::string, std::string> tokens;
};

ChatTemplate::ChatTemplate(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

absl::StatusOr<ChatTemplate> ChatTemplate::Parse(const ChatSettings& settings) {
  if (settings.source.empty()) return ChatTemplateMissingError();
  if (settings.source.size() > kMostSourceBytes) {
    return ChatTemplateLimitError("bytes of source", static_cast<int64_t>(kMostSourceBytes));
  }
  ABSL_ASSIGN_OR_RETURN(const std::vector<Token> tokens, CutTemplate(settings.source));
  ABSL_ASSIGN_OR_RETURN(Body body, ParseTemplate(tokens));
  return ChatTemplate(std::make_unique<const Parts>(Parts{std::move(body), settings.tokens}));
}

absl::StatusOr<std::string> ChatTemplate::Render(std::string_view document_json) const {
  const ordered_json document =
      ordered_json::parse(document_json.begin(), document_json.end(), nullptr, /*allow_exceptions=*/false);
  std::map<std::string, Value> variables{
      {"messages", Value()}, {"tools", Value()}, {"documents", Value()}, {"add_generation_prompt", false}};
  for (const auto& [name, token] : parts_->tokens) variables[name] = token;
  for (const char* name : {"messages", "tools", "documents"}) {
    if (!document.is_object() || !document.contains(name)) continue;
    ABSL_ASSIGN_OR_RETURN(variables[name], FromJson(document[name], 0));
  }
  return Interpreter(std::move(variables)).Render(parts_->body);
}

}  // namespace bitwright::worker
