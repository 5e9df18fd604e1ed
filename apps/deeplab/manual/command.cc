// deeplab manual and deeplab completion: the command line for man and for shells.
#include "apps/deeplab/common/command.h"

#include "apps/deeplab/manual/pages.h"

namespace deeplab::app {
namespace {

ExitCode print(const std::string& text) {
  const Status status = print_output(text);
  if (status.ok()) return ExitCode::kDone;
  print_error(status.message());
  return ExitCode::kFailed;
}

}  // namespace

void add_manual(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("manual", "The man page of deeplab or of a command");
  auto name = std::make_shared<std::string>();
  command->add_option("command", *name, "A command; none: deeplab itself")->type_name("COMMAND");
  command->footer("For instance: deeplab manual segment | man -l -");
  command->callback([&app, &action, name] {
    const CLI::App* of = nullptr;
    if (!name->empty()) {
      of = find_subcommand(app, *name);
      if (of == nullptr) throw CLI::ValidationError("unknown subcommand '" + *name + "'");
    }
    action = [&app, of] { return print(man_page(app, of)); };
  });
}

void add_completion(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("completion", "A script that completes deeplab in a shell");
  static const std::map<std::string, Shell> kShells = {
      {"bash", Shell::kBash}, {"fish", Shell::kFish}, {"zsh", Shell::kZsh}};
  auto name = std::make_shared<std::string>();
  command->add_option("shell", *name, "The shell")
      ->required()
      ->type_name("bash|zsh|fish")
      ->check(CLI::IsMember(kShells));
  command->footer("For instance: source <(deeplab completion bash)");
  command->callback([&app, &action, name] {
    action = [&app, shell = kShells.at(*name)] { return print(completion_script(app, shell)); };
  });
}

}  // namespace deeplab::app
