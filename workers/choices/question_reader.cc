#include "workers/choices/question_reader.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/base/status_macros.h"
#include "workers/chat/strings.h"
#include "workers/choices/choices_errors.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;
using Fields = std::span<const std::string_view>;

constexpr std::string_view kHellaSwagFields[] = {"endings", "activity_label", "ctx_a", "ctx_b", "label"};
constexpr std::string_view kHellaSwagOthers[] = {"ctx", "ind", "source_id", "split", "split_type"};
constexpr std::string_view kArcFields[] = {"choices", "question", "answerKey"};
constexpr std::string_view kArcOthers[] = {"id"};
constexpr std::string_view kPiqaFields[] = {"goal", "sol1", "sol2", "label"};
constexpr std::string_view kPiqaOthers[] = {"id"};
constexpr std::string_view kWinoGrandeFields[] = {"sentence", "option1", "option2", "answer"};
constexpr std::string_view kWinoGrandeOthers[] = {"qID"};
constexpr std::string_view kBoolQFields[] = {"passage", "question"};
constexpr std::string_view kBoolQOthers[] = {"label", "answer", "idx", "title"};

// The first of the needed fields is no other task's: it tells which one a line is of.
struct TaskFields {
  v1::ChoiceTask task;
  std::string_view title;
  Fields needed;
  Fields others;
  std::string_view shown;  // what is needed, for messages
};
constexpr TaskFields kTasks[] = {
    {v1::HELLASWAG, "HellaSwag", kHellaSwagFields, kHellaSwagOthers, "activity_label, ctx_a, ctx_b, endings, label"},
    {v1::ARC, "ARC", kArcFields, kArcOthers, "question, choices, answerKey"},
    {v1::PIQA, "PIQA", kPiqaFields, kPiqaOthers, "goal, sol1, sol2, label"},
    {v1::WINOGRANDE, "WinoGrande", kWinoGrandeFields, kWinoGrandeOthers, "sentence, option1, option2, answer"},
    {v1::BOOLQ, "BoolQ", kBoolQFields, kBoolQOthers, "passage, question, and label or answer"},
};

bool Contains(Fields fields, std::string_view name) { return std::ranges::find(fields, name) != fields.end(); }

const TaskFields* TaskOf(const json& object) {
  for (const TaskFields& task : kTasks) {
    if (object.contains(std::string(task.needed[0]))) return &task;
  }
  return nullptr;
}

// The fields of one line.
class Line {
 public:
  Line(const json& object, const TaskFields& task, int64_t number) : object_(object), task_(task), number_(number) {}

  absl::Status Fault(std::string_view problem) const {
    return QuestionInvalidError(
        number_, absl::StrCat(std::string(problem), "; ", std::string(task_.title), " has ", std::string(task_.shown)));
  }

  absl::Status CheckFields() const {
    for (const std::string_view name : task_.needed) {
      if (!object_.contains(std::string(name))) return Fault(absl::StrCat("lacks the field '", std::string(name), "'"));
    }
    for (const auto& field : object_.items()) {
      if (Contains(task_.needed, field.key()) || Contains(task_.others, field.key())) continue;
      return Fault(absl::StrCat("has a field '", field.key(), "' that is not known"));
    }
    return absl::OkStatus();
  }

  const json* Find(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  absl::StatusOr<std::string> Text(const char* name) const {
    const json* value = Find(name);
    if (value == nullptr || !value->is_string()) return Fault(absl::StrCat("has no string as '", name, "'"));
    return value->get<std::string>();
  }

  // A list of strings, two at least.
  absl::StatusOr<std::vector<std::string>> Texts(const char* name, const json* value) const {
    std::vector<std::string> texts;
    const bool list = value != nullptr && value->is_array() && value->size() >= 2;
    for (size_t i = 0; list && i < value->size() && (*value)[i].is_string(); ++i) {
      texts.push_back((*value)[i].get<std::string>());
    }
    if (!list || texts.size() != value->size()) {
      return Fault(absl::StrCat("has no list of two strings or more as '", name, "'"));
    }
    return texts;
  }

  // The index of the right choice, as a number or in digits.
  absl::StatusOr<int> Index(const char* name, size_t choices) const {
    const json* value = Find(name);
    int64_t index = -1;
    const bool given = value != nullptr && (value->is_number_integer() || value->is_string());
    if (given && value->is_number_integer()) index = value->get<int64_t>();
    if (given && value->is_string() && !absl::SimpleAtoi(value->get_ref<const std::string&>(), &index)) index = -1;
    if (index < 0 || index >= static_cast<int64_t>(choices)) {
      return Fault(absl::StrCat("has no index of a choice, 0 to ", choices - 1, ", as '", name, "'"));
    }
    return static_cast<int>(index);
  }

  // Of choices behind one context.
  absl::StatusOr<Question> Behind(const std::string& context, const std::vector<std::string>& texts, int answer) const {
    Question question;
    for (const std::string& text : texts) {
      if (text.empty()) return Fault("has a choice without a character");
      question.choices.push_back({context, " " + text, CharacterCount(text)});
    }
    question.answer = answer;
    return question;
  }

 private:
  const json& object_;
  const TaskFields& task_;
  const int64_t number_;
};

// What stands in brackets goes, within lines: re.sub("\\[.*?\\]", "", text).
std::string WithoutBrackets(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t open = text.find('[');
    const size_t close = open == std::string_view::npos ? open : text.find_first_of("]\n", open);
    if (open == std::string_view::npos) return out.append(text);
    if (close == std::string_view::npos || text[close] == '\n') {
      out.append(text.substr(0, open + 1));
      text.remove_prefix(open + 1);
      continue;
    }
    out.append(text.substr(0, open));
    text.remove_prefix(close + 1);
  }
  return out;
}

// hellaswag/utils.py: preprocess.
std::string Cleaned(std::string_view text) {
  const std::string titled = ReplaceAll(Strip(text), " [title]", ". ", -1);
  return ReplaceAll(WithoutBrackets(titled), "  ", " ", -1);
}

absl::StatusOr<Question> ReadHellaSwag(const Line& line) {
  ABSL_ASSIGN_OR_RETURN(const std::string activity, line.Text("activity_label"));
  ABSL_ASSIGN_OR_RETURN(const std::string first, line.Text("ctx_a"));
  ABSL_ASSIGN_OR_RETURN(const std::string second, line.Text("ctx_b"));
  ABSL_ASSIGN_OR_RETURN(std::vector<std::string> endings, line.Texts("endings", line.Find("endings")));
  for (std::string& ending : endings) ending = Cleaned(ending);
  ABSL_ASSIGN_OR_RETURN(const int answer, line.Index("label", endings.size()));
  return line.Behind(Cleaned(activity + ": " + first + " " + CapitalizedText(second)), endings, answer);
}

absl::StatusOr<Question> ReadArc(const Line& line) {
  ABSL_ASSIGN_OR_RETURN(const std::string question, line.Text("question"));
  ABSL_ASSIGN_OR_RETURN(const std::string key, line.Text("answerKey"));
  const json* choices = line.Find("choices");
  const bool object = choices != nullptr && choices->is_object() && choices->contains("text") &&
                      choices->contains("label") && choices->size() == 2;
  if (!object) return line.Fault("has no object of 'text' and 'label' as 'choices'");
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> texts, line.Texts("choices.text", &(*choices)["text"]));
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> labels, line.Texts("choices.label", &(*choices)["label"]));
  const auto right = std::ranges::find(labels, key);
  if (labels.size() != texts.size()) return line.Fault("has not as many labels as texts in 'choices'");
  if (right == labels.end()) return line.Fault("has an 'answerKey' that is no label of its choices");
  return line.Behind("Question: " + question + "\nAnswer:", texts, static_cast<int>(right - labels.begin()));
}

absl::StatusOr<Question> ReadPiqa(const Line& line) {
  ABSL_ASSIGN_OR_RETURN(const std::string goal, line.Text("goal"));
  ABSL_ASSIGN_OR_RETURN(const std::string first, line.Text("sol1"));
  ABSL_ASSIGN_OR_RETURN(const std::string second, line.Text("sol2"));
  ABSL_ASSIGN_OR_RETURN(const int answer, line.Index("label", 2));
  return line.Behind("Question: " + goal + "\nAnswer:", {first, second}, answer);
}

// The rest of the sentence is what is likely or not behind each option.
absl::StatusOr<Question> ReadWinoGrande(const Line& line) {
  ABSL_ASSIGN_OR_RETURN(const std::string sentence, line.Text("sentence"));
  ABSL_ASSIGN_OR_RETURN(const std::string answer, line.Text("answer"));
  const size_t gap = sentence.find('_');
  if (gap == std::string::npos) return line.Fault("has no '_' in 'sentence' where the options go");
  if (answer != "1" && answer != "2") return line.Fault("has neither \"1\" nor \"2\" as 'answer'");
  Question question;
  const std::string rest(Strip(std::string_view(sentence).substr(gap + 1)));
  for (const char* name : {"option1", "option2"}) {
    ABSL_ASSIGN_OR_RETURN(const std::string option, line.Text(name));
    if (gap == 0 && option.empty()) return line.Fault("has nothing before the rest of its sentence");
    question.choices.push_back({sentence.substr(0, gap) + option, " " + rest, CharacterCount(option)});
  }
  question.answer = answer == "1" ? 0 : 1;
  return question;
}

absl::StatusOr<Question> ReadBoolQ(const Line& line) {
  ABSL_ASSIGN_OR_RETURN(const std::string passage, line.Text("passage"));
  ABSL_ASSIGN_OR_RETURN(const std::string question, line.Text("question"));
  const json* answer = line.Find("answer");
  const bool both = answer != nullptr && line.Find("label") != nullptr;
  if (both) return line.Fault("has a label and an answer");
  if (answer != nullptr && !answer->is_boolean()) return line.Fault("has neither true nor false as 'answer'");
  int right = answer != nullptr && answer->get<bool>() ? 1 : 0;
  if (answer == nullptr) {
    ABSL_ASSIGN_OR_RETURN(right, line.Index("label", 2));
  }
  return line.Behind(passage + "\nQuestion: " + question + "?\nAnswer:", {"no", "yes"}, right);
}

absl::StatusOr<Question> ReadFields(v1::ChoiceTask task, const Line& line) {
  switch (task) {
    case v1::HELLASWAG:
      return ReadHellaSwag(line);
    case v1::ARC:
      return ReadArc(line);
    case v1::PIQA:
      return ReadPiqa(line);
    case v1::WINOGRANDE:
      return ReadWinoGrande(line);
    default:
      return ReadBoolQ(line);
  }
}

std::string AllTasks() {
  return absl::StrJoin(kTasks, "; ", [](std::string* out, const TaskFields& task) {
    absl::StrAppend(out, std::string(task.title), " (", std::string(task.shown), ")");
  });
}

}  // namespace

std::string_view ChoiceTaskTitle(v1::ChoiceTask task) {
  for (const TaskFields& one : kTasks) {
    if (one.task == task) return one.title;
  }
  return "unknown";
}

absl::StatusOr<Question> QuestionReader::Read(std::string_view text, int64_t line) {
  if (static_cast<int64_t>(text.size()) > kMostLineBytes) {
    return QuestionInvalidError(line, absl::StrCat("has more than ", kMostLineBytes, " bytes"));
  }
  const json object = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return QuestionInvalidError(line, "is not a JSON object; give one question a line");
  const TaskFields* task = TaskOf(object);
  if (task == nullptr) return QuestionInvalidError(line, "has fields of none of these: " + AllTasks());
  if (task_ != v1::CHOICE_TASK_UNSPECIFIED && task->task != task_) {
    return QuestionInvalidError(line, absl::StrCat("is of ", std::string(task->title), ", those before of ",
                                                   std::string(ChoiceTaskTitle(task_)), "; give a file for each"));
  }
  const Line fields(object, *task, line);
  ABSL_RETURN_IF_ERROR(fields.CheckFields());
  ABSL_ASSIGN_OR_RETURN(Question question, ReadFields(task->task, fields));
  task_ = task->task;
  return question;
}

}  // namespace bitwright::worker
