#include "workers/tokenizer/json_fields.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/json_reader.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {

absl::Status JsonField::MustBe(std::string_view kind) const {
  if (value_ == nullptr) return TokenizerInvalidError(path_, "is missing");
  return TokenizerInvalidError(
      path_, absl::StrCat("must be ", absl::string_view(kind.data(), kind.size()), ", not ", value_->type_name()));
}

bool JsonField::is_null() const { return value_ == nullptr || value_->is_null(); }
bool JsonField::is_array() const { return value_ != nullptr && value_->is_array(); }
bool JsonField::Has(std::string_view key) const {
  return value_ != nullptr && value_->is_object() && value_->contains(key);
}

absl::StatusOr<JsonField> JsonField::Optional(std::string_view key) const {
  if (value_ == nullptr || !value_->is_object()) return MustBe("an object");
  const std::string path =
      path_.empty() ? std::string(key) : absl::StrCat(path_, ".", absl::string_view(key.data(), key.size()));
  const auto found = value_->find(key);
  return JsonField(found == value_->end() ? nullptr : &*found, path);
}

absl::StatusOr<JsonField> JsonField::At(std::string_view key) const {
  ABSL_ASSIGN_OR_RETURN(JsonField field, Optional(key));
  if (field.value_ == nullptr) return TokenizerInvalidError(field.path_, "is missing");
  return field;
}

absl::StatusOr<std::vector<JsonField>> JsonField::Items() const {
  if (!is_array()) return MustBe("an array");
  std::vector<JsonField> items;
  items.reserve(value_->size());
  for (const auto& item : *value_) items.emplace_back(&item, absl::StrCat(path_, "[", items.size(), "]"));
  return items;
}

absl::StatusOr<std::string> JsonField::String() const {
  if (value_ == nullptr || !value_->is_string()) return MustBe("a string");
  return value_->get_ref<const std::string&>();
}

absl::StatusOr<bool> JsonField::Bool() const {
  if (value_ == nullptr || !value_->is_boolean()) return MustBe("a boolean");
  return value_->get<bool>();
}

absl::StatusOr<bool> JsonField::BoolOr(bool absent) const {
  if (is_null()) return absent;
  return Bool();
}

absl::StatusOr<int32_t> JsonField::Id() const {
  if (value_ == nullptr || !value_->is_number_unsigned()) return MustBe("a whole number from 0");
  const auto id = value_->get<uint64_t>();
  if (id >= static_cast<uint64_t>(kMaxVocabulary)) {
    return TokenizerInvalidError(path_, absl::StrCat("id ", id, " is not below ", kMaxVocabulary));
  }
  return static_cast<int32_t>(id);
}

absl::StatusOr<std::string> JsonField::StringAt(std::string_view key) const {
  ABSL_ASSIGN_OR_RETURN(const JsonField field, At(key));
  return field.String();
}

absl::StatusOr<bool> JsonField::BoolAt(std::string_view key) const {
  ABSL_ASSIGN_OR_RETURN(const JsonField field, At(key));
  return field.Bool();
}

}  // namespace bitwright::worker
