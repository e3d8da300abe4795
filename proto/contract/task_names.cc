#include "proto/contract/task_names.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace bitwright {

std::string TaskKey(std::string_view kind, int index) { return absl::StrFormat("%s[%d]", kind, index); }

std::string TaskKey(std::string_view kind, int first, int second) {
  return absl::StrFormat("%s[%d,%d]", kind, first, second);
}

std::string TaskKey(std::string_view kind, int first, int second, int third) {
  return absl::StrFormat("%s[%d,%d,%d]", kind, first, second, third);
}

std::string TaskKey(std::string_view kind, std::string_view use) { return absl::StrFormat("%s[%s]", kind, use); }

std::string TaskKey(std::string_view kind, std::string_view use, int index) {
  return absl::StrFormat("%s[%s,%d]", kind, use, index);
}

std::string TaskKey(std::string_view kind, std::string_view use, int first, int second) {
  return absl::StrFormat("%s[%s,%d,%d]", kind, use, first, second);
}

std::string GoalKey(std::string key, int goal) { return goal == 0 ? key : absl::StrFormat("%s@%d", key, goal); }

int GoalOfTaskKey(std::string_view key) {
  const size_t at = key.find('@');
  int goal = 0;
  if (at == std::string_view::npos ||
      !absl::SimpleAtoi(absl::string_view(key.data(), key.size()).substr(at + 1), &goal))
    return 0;
  return goal;
}

std::string_view WithoutGoal(std::string_view key) { return key.substr(0, key.find('@')); }

std::string_view KindOfTaskKey(std::string_view key) { return key.substr(0, key.find_first_of("[@")); }

std::string Numbered(std::string_view name, int number) { return absl::StrFormat("%s/%05d", name, number); }

std::string Numbered(std::string_view name, int first, int second) {
  return absl::StrFormat("%s/%05d/%05d", name, first, second);
}

std::string NumberedPrefix(std::string_view name) { return absl::StrFormat("%s/", name); }

std::string ModelFileName(std::string_view path) { return absl::StrFormat("%s%s", kModelFilePrefix, path); }

std::string ArtifactFileName(std::string_view path) { return absl::StrFormat("file/%s", path); }

}  // namespace bitwright
