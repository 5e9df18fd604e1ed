#include "apps/deeplab/manual/pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "deeplab/deeplab.h"

namespace deeplab::app {
namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& program) {
  return program.get_subcommands(
      [](const CLI::App* command) { return !command->get_name().empty(); });
}

/// A flag takes no value.
bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

/// "pad|letterbox|stretch" as words; none if the type is anything else, such as FILE or N|WxH.
std::vector<std::string> choices(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  std::vector<std::string> words(1);
  for (const char c : type) {
    if (c == '|') {
      words.emplace_back();
    } else if (std::islower(static_cast<unsigned char>(c)) != 0 ||
               std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-') {
      words.back() += c;
    } else {
      return {};
    }
  }
  return words.size() > 1 ? words : std::vector<std::string>();
}

/// "-m", "--model": as they are typed.
std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

/// The options of a command in the order of --help; positional ones too if asked for.
std::vector<const CLI::Option*> options_of(const CLI::App& command, bool positional) {
  return command.get_options([&](const CLI::Option* option) {
    return option->get_positional() == positional && (positional || !spellings(*option).empty());
  });
}

/// What stands for the value: its type, else the option's name.
std::string value_name(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.empty() ? option.get_name(true) : type;
}

// ---- man ---------------------------------------------------------------------------------------

/// Text that troff prints as it is: "-" stays a hyphen-minus, and no line is a request.
std::string troff(std::string_view text) {
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool at_line_start = i == 0 || text[i - 1] == '\n';
    if (at_line_start && (text[i] == '.' || text[i] == '\'')) escaped += "\\&";
    if (text[i] == '\\') {
      escaped += "\\e";
    } else if (text[i] == '-') {
      escaped += "\\-";
    } else {
      escaped += text[i];
    }
  }
  return escaped;
}

std::string bold(std::string_view text) { return "\\fB" + troff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + troff(text) + "\\fR"; }

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string default_note(const CLI::Option& option) {
  return option.get_default_str().empty() ? "" : " [" + option.get_default_str() + "]";
}

std::string options_section(const CLI::App& command) {
  std::string page;
  for (const CLI::Option* option : options_of(command, true)) {
    page +=
        fmt::format(".TP\n{}\n{}\n", italic(value_name(*option)), troff(option->get_description()));
  }
  for (const CLI::Option* option : options_of(command, false)) {
    page += ".TP\n";
    std::string separator;
    for (const std::string& name : spellings(*option)) {
      page += separator + bold(name);
      separator = ", ";
    }
    if (takes_value(*option)) page += " " + italic(value_name(*option));
    page += "\n" + troff(option->get_description() + default_note(*option)) + "\n";
  }
  return page;
}

std::string synopsis(const std::string& name, const CLI::App& command) {
  std::string line = bold(name) + " [" + italic("OPTIONS") + "]";
  for (const CLI::Option* option : options_of(command, true)) {
    line += " " + italic(value_name(*option));
    if (option->get_items_expected_max() > 1) line += "...";
  }
  return line;
}

std::string title(const std::string& name, const CLI::App& app) {
  return fmt::format(
      ".TH {} 1 \"\" \"deeplab {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n",
      upper(name), deeplab_version(), troff(name), troff(app.get_description()));
}

/// From the options to the end. `failed`: what exit status 1 means.
std::string sections(const CLI::App& app, const std::string& failed, const std::string& related) {
  std::string page = ".SH OPTIONS\n" + options_section(app);
  if (!app.get_footer().empty()) page += ".SH NOTES\n" + troff(app.get_footer()) + "\n";
  return page + ".SH EXIT STATUS\n.TP\n0\nAll done.\n.TP\n1\n" + troff(failed) +
         "\n.TP\n2\nWrong usage.\n.SH SEE ALSO\n" + related + "\n";
}

// ---- Completion --------------------------------------------------------------------------------

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : options_of(command, false)) {
    for (const std::string& name : spellings(*option)) flags.push_back(name);
  }
  return flags;
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

std::string bash_completion(const CLI::App& program) {
  const auto commands = commands_of(program);
  std::string script = R"(# bash completion for deeplab
_deeplab() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
)";
  script += fmt::format(R"(  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{} {}' -- "$cur"))
    return
  fi
  case "$command $prev" in
)",
                        joined(names_of(commands)), joined(flags_of(program)));
  for (const CLI::App* command : commands) {
    for (const CLI::Option* option : options_of(*command, false)) {
      const std::vector<std::string> words = choices(*option);
      if (words.empty()) continue;
      for (const std::string& name : spellings(*option)) {
        script +=
            fmt::format("    '{} {}') COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return ;;\n",
                        command->get_name(), name, joined(words));
      }
    }
  }
  script += "  esac\n  case $cur in\n    -*)\n      case $command in\n";
  for (const CLI::App* command : commands) {
    script += fmt::format("        {}) COMPREPLY=($(compgen -W '{}' -- \"$cur\")) ;;\n",
                          command->get_name(), joined(flags_of(*command)));
  }
  script += "      esac\n      ;;\n    *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n  esac\n}\n";
  return script + "complete -o filenames -F _deeplab deeplab\n";
}

/// For single quotes of zsh's _arguments, where ":" and "[]" have a meaning.
std::string zsh_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'') {
      escaped += "'\\''";
    } else {
      if (c == ':' || c == '[' || c == ']' || c == '\\') escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

std::string zsh_completion(const CLI::App& program) {
  const auto commands = commands_of(program);
  std::string script =
      "#compdef deeplab\n_deeplab() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const CLI::App* command : commands) {
    script +=
        fmt::format("      '{}:{}'\n", command->get_name(), zsh_text(command->get_description()));
  }
  script +=
      "    )\n    _describe command commands\n    return\n  fi\n  local command=$words[2]\n"
      "  words=(\"${(@)words[2,-1]}\")\n  (( CURRENT-- ))\n  case $command in\n";
  for (const CLI::App* command : commands) {
    script += fmt::format("    {})\n      _arguments \\\n", command->get_name());
    for (const CLI::Option* option : options_of(*command, false)) {
      const std::vector<std::string> words = choices(*option);
      const std::string value = !takes_value(*option) ? ""
                                : words.empty()       ? ":value:_files"
                                                      : fmt::format(":value:({})", joined(words));
      for (const std::string& name : spellings(*option)) {
        script += fmt::format("        '*{}[{}]{}' \\\n", name, zsh_text(option->get_description()),
                              value);
      }
    }
    script += "        '*:file:_files'\n      ;;\n";
  }
  return script + "  esac\n}\ncompdef _deeplab deeplab\n";
}

std::string fish_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string fish_completion(const CLI::App& program) {
  std::string script = "# fish completion for deeplab\n";
  for (const CLI::App* command : commands_of(program)) {
    script += fmt::format("complete -c deeplab -n __fish_use_subcommand -a {} -d '{}'\n",
                          command->get_name(), fish_text(command->get_description()));
    for (const CLI::Option* option : options_of(*command, false)) {
      script += fmt::format("complete -c deeplab -n '__fish_seen_subcommand_from {}'",
                            command->get_name());
      for (const std::string& name : option->get_snames()) script += " -s " + name;
      for (const std::string& name : option->get_lnames()) script += " -l " + name;
      const std::vector<std::string> words = choices(*option);
      if (!words.empty()) {
        script += fmt::format(" -xa '{}'", joined(words));
      } else if (takes_value(*option)) {
        script += " -r";
      }
      script += fmt::format(" -d '{}'\n", fish_text(option->get_description()));
    }
  }
  return script;
}

}  // namespace

std::string man_page(const CLI::App& program, const CLI::App* command) {
  const std::string name = command == nullptr ? "deeplab" : "deeplab-" + command->get_name();
  const CLI::App& app = command == nullptr ? program : *command;
  std::string page = title(name, app);
  std::string related;
  if (command == nullptr) {
    page +=
        bold("deeplab") + " " + italic("COMMAND") + " [" + italic("OPTIONS") + "]\n.SH COMMANDS\n";
    for (const CLI::App* each : commands_of(program)) {
      page += fmt::format(".TP\n{}\n{}\n", bold(each->get_name()), troff(each->get_description()));
      related +=
          fmt::format("{}.BR deeplab\\-{} (1)", related.empty() ? "" : ",\n", each->get_name());
    }
  } else {
    page += synopsis("deeplab " + app.get_name(), app) + "\n";
    related = ".BR deeplab (1)";
  }
  return page + sections(app,
                         "Some photo or the model failed; each is named on standard error, the "
                         "others are done.",
                         related);
}

std::string program_page(const CLI::App& program, const std::string& failed) {
  return title(program.get_name(), program) + synopsis(program.get_name(), program) + "\n" +
         sections(program, failed, ".BR deeplab (1)");
}

std::string completion_script(const CLI::App& program, Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return bash_completion(program);
    case Shell::kZsh:
      return zsh_completion(program);
    case Shell::kFish:
      return fish_completion(program);
  }
  return {};
}

}  // namespace deeplab::app
