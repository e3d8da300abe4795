#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "workers/choices/question_reader.h"
#include "workers/tokenizer/text_lines.h"

// Input: lines of questions. What is read has an answer among its choices, each of which has something to be scored.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  bitwright::worker::QuestionReader reader;
  bitwright::worker::TextLines lines(std::string_view(reinterpret_cast<const char*>(data), size));
  while (lines.Next()) {
    const auto question = reader.Read(lines.line(), lines.number());
    if (!question.ok()) {
      if (question.status().message().empty()) std::abort();
      continue;
    }
    if (question->choices.size() < 2 || question->answer < 0) std::abort();
    if (static_cast<size_t>(question->answer) >= question->choices.size()) std::abort();
    for (const auto& choice : question->choices) {
      if (choice.continuation.empty() || choice.characters < 0) std::abort();
    }
  }
  return 0;
}
