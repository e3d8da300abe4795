#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/reports.pb.h"

namespace bitwright::worker {

// A question as a model is asked it: of each choice a context and a continuation, whose likelihoods are compared.
struct Question {
  struct Choice {
    std::string context;
    std::string continuation;  // with the space before it
    int64_t characters = 0;    // code points of the choice, without that space: what acc_norm divides by
  };
  std::vector<Choice> choices;  // two at least
  int answer = 0;               // index of the right one
};

// Reads JSON lines of one task: that which the fields of the first line tell. Templates and cleaning are those of
// lm-evaluation-harness, see README.md. Not thread-safe.
class QuestionReader {
 public:
  static constexpr int64_t kMostLineBytes = int64_t{1} << 20;

  // `line`: counted from 1, for messages. QUESTION_INVALID: no JSON object, no fields of a task, those of another task
  // than the lines before, a field too many, missing or of a wrong type, or an answer that is no choice.
  absl::StatusOr<Question> Read(std::string_view text, int64_t line);

  // Of the lines read; unspecified before the first.
  v1::ChoiceTask task() const { return task_; }

 private:
  v1::ChoiceTask task_ = v1::CHOICE_TASK_UNSPECIFIED;
};

// As people write it: "HellaSwag".
std::string_view ChoiceTaskTitle(v1::ChoiceTask task);

}  // namespace bitwright::worker
