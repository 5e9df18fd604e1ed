// deeplab manual and deeplab completion: the command line for man and for shells.
#include "apps/deeplab/common/command.h"

#include <filesystem>
#include <map>
#include <memory>

#include "apps/deeplab/manual/pages.h"
#include "base/file.h"

namespace deeplab::app {
namespace {

const std::map<std::string, Shell> kShells = {
    {"bash", Shell::kBash}, {"fish", Shell::kFish}, {"zsh", Shell::kZsh}};

ExitCode print(const std::string& text) {
  const Status status = print_output(text);
  if (status.ok()) return ExitCode::kDone;
  print_error(status.message());
  return ExitCode::kFailed;
}

/// By name.
using Files = std::map<std::string, std::string>;

/// deeplab.1, deeplab-COMMAND.1 of every command, and deeplab.SHELL of every shell.
Files all_files(const CLI::App& app) {
  Files files = {{"deeplab.1", man_page(app, nullptr)}};
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    files["deeplab-" + command->get_name() + ".1"] = man_page(app, command);
  }
  for (const auto& [name, shell] : kShells) {
    files["deeplab." + name] = completion_script(app, shell);
  }
  return files;
}

ExitCode write(const Files& files, const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    print_error(str_cat(directory, ": ", error.message()));
    return ExitCode::kFailed;
  }
  for (const auto& [name, text] : files) {
    const Status status =
        write_file_atomically(directory + "/" + name, std::as_bytes(std::span(text)));
    if (!status.ok()) {
      print_error(status.message());
      return ExitCode::kFailed;
    }
  }
  return ExitCode::kDone;
}

}  // namespace

void add_manual(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("manual", "The man page of deeplab or of a command");
  auto name = std::make_shared<std::string>();
  auto directory = std::make_shared<std::string>();
  CLI::Option* one = command->add_option("command", *name, "A command; none: deeplab itself")
                         ->type_name("COMMAND");
  command
      ->add_option("-o,--output", *directory,
                   "Write all man pages and completion scripts into this directory")
      ->type_name("DIR")
      ->excludes(one);
  command->footer("For instance: deeplab manual segment | man -l -");
  command->callback([&app, &action, name, directory] {
    if (!directory->empty()) {
      action = [files = all_files(app), directory] { return write(files, *directory); };
      return;
    }
    const CLI::App* of = nullptr;
    if (!name->empty()) {
      of = find_subcommand(app, *name);
      if (of == nullptr) throw CLI::ValidationError("unknown subcommand '" + *name + "'");
    }
    action = [page = man_page(app, of)] { return print(page); };
  });
}

void add_completion(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("completion", "A script that completes deeplab in a shell");
  auto name = std::make_shared<std::string>();
  command->add_option("shell", *name, "The shell")
      ->required()
      ->type_name("bash|zsh|fish")
      ->check(CLI::IsMember(kShells));
  command->footer("For instance: source <(deeplab completion bash)");
  command->callback([&app, &action, name] {
    action = [script = completion_script(app, kShells.at(*name))] { return print(script); };
  });
}

}  // namespace deeplab::app
