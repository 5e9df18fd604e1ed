// `deeplab NAME ...` for programs that are not part of this one, such as deeplab-train, which links
// libraries that the command must not.
#pragma once

#include <string>

namespace deeplab::app {

/// Runs deeplab-NAME, NAME being argv[1], with the arguments after it in place of this process: the
/// file beside this program, else the first on PATH. Returns if there is no such program.
void run_external(char** argv);

/// Why `deeplab NAME` for a program of this project did not run, and how to build it; empty if
/// there is no such program at all.
std::string missing_program(const std::string& name);

}  // namespace deeplab::app
