#include "client/cli/completion.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/command_tree.h"
#include "proto/contract/targets.h"

namespace bitwright::client {
namespace {

constexpr std::string_view kFiles = ":files";

// The scripts know nothing of the commands: what may follow, the program itself says.
constexpr std::string_view kBash = R"(_bitwright() {
  local lines
  lines=$(bitwright complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
  if [[ $lines == :files ]]; then
    compopt -o default
    COMPREPLY=()
  else
    mapfile -t COMPREPLY < <(cut -f1 <<<"$lines")
  fi
}
complete -F _bitwright bitwright
)";

constexpr std::string_view kZsh = R"(#compdef bitwright
_bitwright() {
  local -a lines words_with_help
  lines=("${(@f)$(bitwright complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == :files ]]; then
    _files
    return
  fi
  local line
  for line in $lines; do
    words_with_help+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  _describe bitwright words_with_help
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _bitwright "$@"
else
  compdef _bitwright bitwright
fi
)";

constexpr std::string_view kFish = R"(function __bitwright_complete
  set -l lines (bitwright complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
  if test "$lines" = :files
    __fish_complete_path (commandline -ct)
  else
    printf '%s\n' $lines
  end
end
complete -c bitwright -f -a '(__bitwright_complete)'
)";

// Of the command or of one above it, which all commands take.
const CLI::Option* FindOption(CLI::App* at, const std::string& name) {
  for (; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      if (!option->get_positional() && option->check_name(name)) return option;
    }
  }
  return nullptr;
}

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// Those that an option is checked against: CLI11 shows them as "TEXT:{text,documents,ids}".
std::vector<std::string> CheckedValues(const CLI::Option& option) {
  const std::string shown = option.get_type_name();
  const size_t begin = shown.find('{'), end = shown.rfind('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
  return absl::StrSplit(shown.substr(begin + 1, end - begin - 1), ',');
}

std::vector<std::string> ValuesOf(const CLI::Option& option) {
  std::vector<std::string> values = CheckedValues(option);
  if (option.check_lname("target")) {
    for (const KnownTarget& target : kTargets) values.emplace_back(target.name);
  }
  if (option.check_lname("consumer")) {
    for (const KnownTarget& target : kTargets) {
      for (const std::string_view consumer : target.consumers) {
        if (std::find(values.begin(), values.end(), consumer) == values.end()) values.emplace_back(consumer);
      }
    }
  }
  return values;
}

class Completer {
 public:
  explicit Completer(std::string last) : last_(std::move(last)) {}

  void Add(std::string word, std::string help) {
    if (word.starts_with(last_)) found_.words.push_back({std::move(word), std::move(help)});
  }
  void AddValues(const CLI::Option& option, const std::string& before = "") {
    const std::vector<std::string> values = ValuesOf(option);
    for (const std::string& value : values) Add(before + value, "");
    found_.files = values.empty() && before.empty();
  }
  void AddOptions(CLI::App& command) {
    for (CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
      for (const CLI::Option* option : at->get_options()) {
        // Each command has a --help of its own.
        if (at != &command && option->check_lname("help")) continue;
        for (const std::string& name : option->get_lnames()) Add("--" + name, FirstLine(option->get_description()));
      }
    }
  }
  void AddCommands(CLI::App& group) {
    for (const std::string& name : CommandTree::CommandsOf(group)) {
      Add(name, FirstLine(CommandTree::FindCommand(group, name)->get_description()));
    }
  }
  Completion Take() { return std::move(found_); }

 private:
  const std::string last_;
  Completion found_;
};

}  // namespace

Completion Complete(const std::vector<std::string>& words) {
  Options untouched;
  CommandTree tree(untouched);
  CLI::App* at = &tree.app();
  const CLI::Option* awaits = nullptr;  // an option whose value comes next
  const std::string last = words.empty() ? "" : words.back();
  for (size_t w = 0; w + 1 < words.size(); ++w) {
    const std::string& word = words[w];
    if (awaits != nullptr) {
      awaits = nullptr;
    } else if (word.starts_with("-")) {
      const CLI::Option* option = FindOption(at, word);
      if (option != nullptr && TakesValue(*option)) awaits = option;
    } else if (CLI::App* sub = CommandTree::FindCommand(*at, word); sub != nullptr) {
      at = sub;
    }
  }
  Completer completer(last);
  const size_t equals = last.find('=');
  if (awaits != nullptr) {
    completer.AddValues(*awaits);
  } else if (last.starts_with("--") && equals != std::string::npos) {
    const CLI::Option* option = FindOption(at, last.substr(0, equals));
    if (option != nullptr && TakesValue(*option)) completer.AddValues(*option, last.substr(0, equals + 1));
  } else if (last.starts_with("-")) {
    completer.AddOptions(*at);
  } else if (!CommandTree::CommandsOf(*at).empty()) {
    completer.AddCommands(*at);
  } else {
    // The first place that takes a word; what stands there already is not looked at.
    for (const CLI::Option* option : at->get_options()) {
      if (!option->get_positional()) continue;
      completer.AddValues(*option);
      break;
    }
  }
  return completer.Take();
}

std::string CompletionLines(const Completion& completion) {
  if (completion.files) return absl::StrCat(std::string(kFiles), "\n");
  std::string lines;
  for (const Suggestion& suggestion : completion.words) {
    absl::StrAppend(&lines, suggestion.word, "\t", suggestion.help, "\n");
  }
  return lines;
}

std::string_view CompletionScript(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return {};
}

}  // namespace bitwright::client
