#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitwright::client {

// A word that may stand at the end of an unfinished command line.
struct Suggestion {
  std::string word;
  std::string help;  // one line; may be empty
};

struct Completion {
  std::vector<Suggestion> words;
  bool files = false;  // or the name of a file, which the shell knows best
};

// What may stand in place of the last of `words`, which may be empty and is the beginning of what is wanted: commands,
// options, or values of the option before it. `words` are those behind the program's name. Pure.
Completion Complete(const std::vector<std::string>& words);

// As a shell's script reads it: a word and its help on each line, with a tab between; ":files" for files.
std::string CompletionLines(const Completion& completion);

// What a user of "bash", "zsh" or "fish" sources for completion: it calls `bitwright complete` for each. Empty: another
// shell.
std::string_view CompletionScript(std::string_view shell);

inline constexpr const char* kShells[] = {"bash", "zsh", "fish"};

}  // namespace bitwright::client
