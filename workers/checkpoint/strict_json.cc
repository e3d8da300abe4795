#include "workers/checkpoint/strict_json.h"

#include <set>
#include <string>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

// First pass over the text: builds nothing, finds what the second pass would not report.
class Checker : public nlohmann::json_sax<json> {
 public:
  Checker(std::string_view file, int max_depth) : file_(file), max_depth_(max_depth) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return Enter(); }
  bool start_array(std::size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }
  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    status_ = JsonDuplicateKeyError(file_, name);
    return false;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    status_ = JsonInvalidError(file_, "byte " + std::to_string(position) + ": " + error.what());
    return false;
  }

  const absl::Status& status() const { return status_; }

 private:
  bool Enter() {
    keys_.emplace_back();
    if (static_cast<int>(keys_.size()) <= max_depth_) return true;
    status_ = JsonInvalidError(file_, "more than " + std::to_string(max_depth_) + " levels");
    return false;
  }
  bool Leave() {
    keys_.pop_back();
    return true;
  }

  std::string_view file_;
  int max_depth_;
  std::vector<std::set<std::string>> keys_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<json> ParseStrictJson(std::string_view text, std::string_view file, int max_depth) {
  // The parser takes a NUL for the end of the text and passes over a byte order mark: both would hide bytes from it
  // that another reader sees.
  if (text.find('\0') != std::string_view::npos) return JsonInvalidError(file, "it holds a NUL byte");
  if (text.starts_with(kByteOrderMark)) return JsonInvalidError(file, "it begins with a byte order mark");
  Checker checker(file, max_depth);
  const bool whole = json::sax_parse(text.begin(), text.end(), &checker);
  ABSL_RETURN_IF_ERROR(checker.status());
  if (!whole) return JsonInvalidError(file, "it does not parse");
  json value = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return JsonInvalidError(file, "it does not parse");
  return value;
}

}  // namespace bitwright::worker
