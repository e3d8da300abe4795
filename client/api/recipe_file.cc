#include "client/api/recipe_file.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include "absl/strings/str_cat.h"
#include "client/api/client_errors.h"
#include "proto/base/files.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {
namespace {

class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

absl::StatusOr<v1::Recipe> ReadRecipeFile(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path, FileUnreadableError));
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  v1::Recipe recipe;
  if (!parser.ParseFromString(text, &recipe)) return RecipeFileInvalidError(path, error.text());
  return recipe;
}

std::string RecipeText(const v1::Recipe& recipe) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(recipe, &text);
  return text;
}

}  // namespace bitwright::client
