#include "client/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/cli_errors.h"
#include "client/cli/command_tree.h"
#include "client/cli/near_words.h"

namespace bitwright::client {
namespace {

// "bitwright job watch", for the hint where help is to be had.
std::string FullCommand(CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : FullCommand(*app.get_parent()) + " " + app.get_name();
}

// What no command and no option has taken, in order.
std::vector<std::string> Unknown(CommandTree& tree) { return tree.app().remaining(/*recurse=*/true); }

std::string NameOf(const std::string& option) { return option.substr(0, option.find('=')); }

// The error to show: an unknown word before what may only follow from it, such as an option that is then missing.
absl::Status Explain(CommandTree& tree, const std::string& otherwise) {
  CLI::App& at = tree.deepest();
  const std::string see = absl::StrCat("see `", FullCommand(at), " --help`");
  for (const std::string& word : Unknown(tree)) {
    if (word.starts_with("--") && word.size() > 2) {
      return ArgumentInvalidError(
          absl::StrCat("unknown option '", NameOf(word), "'", DidYouMean(NameOf(word), CommandTree::OptionsOf(at))),
          see);
    }
    if (!tree.complete() && !word.starts_with("-")) {
      return ArgumentInvalidError(
          absl::StrCat("unknown command '", word, "'", DidYouMean(word, CommandTree::CommandsOf(at))), see);
    }
  }
  if (!tree.complete() && otherwise.empty()) {
    return ArgumentInvalidError(
        absl::StrCat("a command is missing: ", absl::StrJoin(CommandTree::CommandsOf(at), ", ")), see);
  }
  return ArgumentInvalidError(otherwise, see);
}

// Help on the command that the words name. From a tree that has parsed nothing: CLI11 would tell of what was parsed.
ParseEnd Help(const Options& options) {
  Options untouched;
  CommandTree tree(untouched);
  CLI::App* at = &tree.app();
  for (const std::string& word : options.words) {
    CLI::App* sub = CommandTree::FindCommand(*at, word);
    if (sub == nullptr) {
      const std::string guess = DidYouMean(word, CommandTree::CommandsOf(*at));
      return {"", ArgumentInvalidError(absl::StrCat("unknown command '", word, "'", guess), "see `bitwright help`"),
              options.json};
    }
    at = sub;
  }
  return {at->help(at->get_parent() == nullptr ? "" : FullCommand(*at->get_parent())), absl::OkStatus(), options.json};
}

// The options that stand on the command line: `job clone` changes no other part of a job.
std::set<std::string> Given(CommandTree& tree) {
  std::set<std::string> given;
  for (const CLI::Option* option : tree.deepest().get_options()) {
    if (option->count() == 0) continue;
    for (const std::string& name : option->get_lnames()) given.insert("--" + name);
  }
  return given;
}

bool LacksBudget(const Options& options) {
  const JobOptions& job = options.job;
  return (options.command == Command::kQuantize || options.command == Command::kJobSubmit) && job.budgets.empty() &&
         job.max_kld.empty() && job.max_ppl_rise.empty();
}

}  // namespace

std::variant<Options, ParseEnd> ParseCommandLine(const std::vector<std::string>& arguments) {
  Options options;
  CommandTree tree(options);
  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
    tree.app().parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    if (tree.app().exit(error, out, err) == 0) return ParseEnd{out.str(), absl::OkStatus(), json};
    return ParseEnd{"", Explain(tree, error.what()), json};
  }
  if (!tree.complete()) return ParseEnd{"", Explain(tree, ""), json};
  if (options.command == Command::kHelp) return Help(options);
  if (LacksBudget(options)) {
    return ParseEnd{"", Explain(tree, "--budget, --max-kld or --max-ppl-rise is required"), json};
  }
  options.job.given = Given(tree);
  return options;
}

}  // namespace bitwright::client
