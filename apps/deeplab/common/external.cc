#include "apps/deeplab/common/external.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace deeplab::app {

void run_external(char** argv) {
  const std::string name = std::string("deeplab-") + argv[1];
  if (name.find('/') != std::string::npos) return;
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string beside = (self.parent_path() / name).string();
  if (!error) ::execv(beside.c_str(), argv + 1);
  ::execvp(name.c_str(), argv + 1);
}

std::string missing_program(const std::string& name) {
  if (name != "train" && name != "video") return {};
  return "'" + name + "' is a program of its own, deeplab-" + name +
         ", which is neither beside this one nor on PATH; ./build.sh --with " + name + " builds it";
}

}  // namespace deeplab::app
