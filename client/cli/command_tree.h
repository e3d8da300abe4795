#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/cli/options.h"

namespace CLI {
class App;
}

namespace bitwright::client {

// The tree of commands and their options, bound to one Options, which must outlive it. For command_line.cc only.
class CommandTree {
 public:
  explicit CommandTree(Options& options);
  ~CommandTree();
  CommandTree(const CommandTree&) = delete;
  CommandTree& operator=(const CommandTree&) = delete;

  CLI::App& app() { return *app_; }
  // A command was named, not just a group. CLI11's own check would hide which word it did not know.
  bool complete() const { return complete_; }
  // The deepest command or group that was named.
  CLI::App& deepest();
  // Of a group the command that the word names or is an alias of; null: none.
  static CLI::App* FindCommand(CLI::App& group, const std::string& word);
  // What a person may write at this place: its commands; and the options of it and of all above it.
  static std::vector<std::string> CommandsOf(CLI::App& app);
  static std::vector<std::string> OptionsOf(CLI::App& app);

 private:
  CLI::App* Add(CLI::App& parent, const std::string& name, const std::string& help, Command command);
  CLI::App& Group(const std::string& name, const std::string& help);
  void AddNamed(CLI::App& parent, const std::string& name, const std::string& help, Command command,
                const std::string& what);
  void AddList(CLI::App& parent, const std::string& help, Command command);
  void AddJobMakers();
  void AddModels();
  void AddJobs();
  void AddToken();
  void AddContexts();
  void AddShell();
  void AddOperations();
  void AddTenants();
  void AddOthers();

  Options& options_;
  bool complete_ = false;
  const std::unique_ptr<CLI::App> app_;
};

}  // namespace bitwright::client
