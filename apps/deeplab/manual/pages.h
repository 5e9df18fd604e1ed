// The command line as man pages and shell completion, from the same tables as --help.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace deeplab::app {

enum class Shell { kBash, kZsh, kFish };

/// A man page in the macros of man(7): of the program, or of one of its subcommands.
std::string man_page(const CLI::App& program, const CLI::App* command);

/// The same of a program of its own, such as deeplab-video. `failed`: what exit status 1 means.
std::string program_page(const CLI::App& program, const std::string& failed);

/// A script that the shell sources: completes subcommands, flags, and the values of flags whose
/// type is a list of words (a|b|c); everything else is completed as a file name.
std::string completion_script(const CLI::App& program, Shell shell);

}  // namespace deeplab::app
