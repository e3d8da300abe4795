#include "workers/tokenizer/json_reader.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "workers/tokenizer/library_float.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

// Receives the file's events in one pass. Each returns false, with status() set, to stop.
class Reader : public nlohmann::json_sax<json> {
 public:
  const absl::Status& status() const { return status_; }

  TokenizerJson Take() {
    parts_.settings = std::make_shared<const json>(std::move(root_));
    return std::move(parts_);
  }

  bool null() override { return Value(nullptr); }
  bool boolean(bool value) override { return Value(value); }
  bool number_integer(number_integer_t value) override {
    return part_ == Part::kScores ? Score(static_cast<double>(value)) : Value(value);
  }
  bool number_float(number_float_t value, const string_t& text) override {
    return part_ == Part::kScores ? Score(LibraryFloat(text)) : Value(value);
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (part_ == Part::kScores) return Score(static_cast<double>(value));
    return part_ == Part::kVocab ? VocabId(value) : Value(value);
  }
  bool string(string_t& value) override {
    if (part_ == Part::kScores) return ScoredToken(value);
    return part_ == Part::kMerges ? MergeText(value) : Value(std::move(value));
  }
  bool binary(binary_t&) override { return false; }

  bool start_object(size_t) override {
    if (!Deeper()) return false;
    if (part_ != Part::kSettings) return WrongForm();
    if (AtModelKey("vocab")) return Enter(Part::kVocab, parts_.has_vocab);
    return Push(json::object());
  }
  bool start_array(size_t) override {
    if (!Deeper()) return false;
    if (part_ == Part::kScores && !scored_) {
      scored_.emplace();
      return true;
    }
    if (part_ == Part::kMerges && !pair_) {
      pair_.emplace();
      return true;
    }
    if (part_ != Part::kSettings) return WrongForm();
    if (AtModelKey("merges")) return Enter(Part::kMerges, parts_.has_merges);
    if (AtModelKey("vocab")) return Enter(Part::kScores, parts_.has_scores);
    return Push(json::array());
  }
  bool end_object() override { return End(); }
  bool end_array() override { return End(); }

  bool key(string_t& name) override {
    if (part_ == Part::kVocab) {
      key_ = std::move(name);
      return true;
    }
    if (part_ != Part::kSettings) return true;
    if (stack_.back()->contains(name)) return Fail(name, "the key occurs twice in one object");
    key_ = std::move(name);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    return Fail("the file", absl::StrCat("is not JSON at byte ", position));
  }

 private:
  enum class Part { kSettings, kVocab, kMerges, kScores };

  bool Fail(std::string_view field, std::string_view problem) {
    if (status_.ok()) status_ = TokenizerInvalidError(field, problem);
    return false;
  }
  bool WrongForm() {
    if (part_ == Part::kVocab) return Fail("model.vocab", "must map tokens to integers");
    if (part_ == Part::kScores) {
      return Fail(absl::StrCat("model.vocab[", parts_.scores.size(), "]"), "must be a pair of a string and a number");
    }
    return Fail(MergeName(), "must be a string \"a b\" or a pair of strings");
  }
  std::string MergeName() const { return absl::StrCat("model.merges[", parts_.merges.size(), "]"); }

  bool Deeper() {
    return ++depth_ <= kMaxNesting || Fail("the file", absl::StrCat("is nested deeper than ", kMaxNesting));
  }

  // The value that comes is that of "model"."vocab" or "model"."merges".
  bool AtModelKey(std::string_view name) const {
    return stack_.size() == 2 && stack_.back()->is_object() && top_key_ == "model" && key_ == name;
  }

  bool Enter(Part part, bool& seen) {
    if (entered_[static_cast<int>(part)]) return Fail(absl::StrCat("model.", key_), "the key occurs twice");
    entered_[static_cast<int>(part)] = true;
    part_ = part;
    part_depth_ = depth_;
    seen = true;
    return true;
  }

  bool End() {
    --depth_;
    if (part_ == Part::kSettings) {
      stack_.pop_back();
      return true;
    }
    if (depth_ < part_depth_) {
      part_ = Part::kSettings;
      return true;
    }
    if (part_ == Part::kScores) return EndScore();
    return part_ != Part::kMerges || EndPair();
  }

  bool VocabId(uint64_t id) {
    if (id >= static_cast<uint64_t>(kMaxVocabulary)) {
      return Fail(absl::StrCat("model.vocab[\"", key_, "\"]"),
                  absl::StrCat("id ", id, " is not below ", kMaxVocabulary));
    }
    if (parts_.vocab.size() >= static_cast<size_t>(kMaxVocabulary)) {
      return Fail("model.vocab", absl::StrCat("has more than ", kMaxVocabulary, " tokens"));
    }
    parts_.vocab.push_back({std::move(key_), static_cast<int32_t>(id)});
    return true;
  }

  // A token and its score; the score is set last.
  bool ScoredToken(std::string& text) {
    if (!scored_ || scored_->first) return WrongForm();
    scored_->first = std::move(text);
    return true;
  }
  bool Score(double score) {
    if (!scored_ || !scored_->first || scored_->second) return WrongForm();
    scored_->second = score;
    return true;
  }
  bool EndScore() {
    if (!scored_ || !scored_->second) return WrongForm();
    if (parts_.scores.size() >= static_cast<size_t>(kMaxVocabulary)) {
      return Fail("model.vocab", absl::StrCat("has more than ", kMaxVocabulary, " tokens"));
    }
    parts_.scores.emplace_back(*std::move(scored_->first), *scored_->second);
    scored_.reset();
    return true;
  }

  bool MergeText(std::string& text) {
    if (pair_) {
      pair_->push_back(std::move(text));
      return pair_->size() <= 2 || WrongForm();
    }
    if (text.starts_with("#version")) return true;  // the first line of a merges.txt
    const size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) return WrongForm();
    return Merge(text.substr(0, space), text.substr(space + 1));
  }
  bool EndPair() {
    if (!pair_ || pair_->size() != 2) return WrongForm();
    const bool more = Merge(std::move((*pair_)[0]), std::move((*pair_)[1]));
    pair_.reset();
    return more;
  }
  bool Merge(std::string left, std::string right) {
    if (parts_.merges.size() >= static_cast<size_t>(kMaxMerges)) {
      return Fail("model.merges", absl::StrCat("has more than ", kMaxMerges));
    }
    parts_.merges.emplace_back(std::move(left), std::move(right));
    return true;
  }

  json* Place(json value) {
    if (stack_.empty()) return &(root_ = std::move(value));
    json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }
  bool Counted() {
    return ++values_ <= kMaxSettings || Fail("the file", absl::StrCat("has more than ", kMaxSettings, " settings"));
  }
  bool Value(json value) {
    if (part_ != Part::kSettings) return WrongForm();
    if (!Counted()) return false;
    if (stack_.empty()) return Fail("the file", "must hold an object");
    Place(std::move(value));
    return true;
  }
  bool Push(json value) {
    if (!Counted()) return false;
    if (stack_.empty() && !value.is_object()) return Fail("the file", "must hold an object");
    if (stack_.size() == 1) top_key_ = key_;
    stack_.push_back(Place(std::move(value)));
    return true;
  }

  TokenizerJson parts_;
  json root_;
  std::vector<json*> stack_;  // open objects and arrays of the settings; only the last grows, so pointers hold
  std::string key_;
  std::string top_key_;
  Part part_ = Part::kSettings;
  int part_depth_ = 0;
  int depth_ = 0;
  int64_t values_ = 0;
  bool entered_[4] = {};
  std::optional<std::vector<std::string>> pair_;
  std::optional<std::pair<std::optional<std::string>, std::optional<double>>> scored_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<TokenizerJson> ReadTokenizerJson(std::string_view text) {
  if (static_cast<int64_t>(text.size()) > kMaxTokenizerBytes) {
    return TokenizerInvalidError("the file", absl::StrCat("has more than ", kMaxTokenizerBytes, " bytes"));
  }
  Reader reader;
  const bool whole = json::sax_parse(text.begin(), text.end(), &reader);
  if (!reader.status().ok()) return reader.status();
  if (!whole) return TokenizerInvalidError("the file", "is not JSON");
  return reader.Take();
}

}  // namespace bitwright::worker
