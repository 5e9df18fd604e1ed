// `deeplab NAME ...` for programs that are not part of this one, such as deeplab-train, which links
// libraries that the command must not.
#pragma once

namespace deeplab::app {

/// Runs deeplab-NAME, NAME being argv[1], with the arguments after it in place of this process: the
/// file beside this program, else the first on PATH. Returns if there is no such program.
void run_external(char** argv);

}  // namespace deeplab::app
