#include "train/run/stored_options.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "train/run/option_list.h"

namespace deeplab::train {
namespace {

std::string path_of(const std::string& directory) { return directory + "/options.json"; }

}  // namespace

Status store_options(const std::string& directory, const RunOptions& options) {
  const std::string text = recorded_options(options).dump(2) + "\n";
  return write_file_atomically(path_of(directory), std::as_bytes(std::span(text)));
}

Status expect_stored_options(const std::string& directory, const RunOptions& options) {
  std::ifstream stored(path_of(directory));
  const nlohmann::json before = nlohmann::json::parse(stored, nullptr, false);
  if (before.is_discarded()) {
    return io_error(path_of(directory), ": missing or damaged, beside a checkpoint");
  }
  const nlohmann::json now = recorded_options(options);
  for (const auto& [key, value] : now.items()) {
    if (!before.contains(key) || before[key] != value) {
      return invalid_argument(directory, " holds a run with ", key, " = ",
                              before.value(key, nlohmann::json()).dump(), ", not ", value.dump(),
                              ": name another directory");
    }
  }
  return {};
}

}  // namespace deeplab::train
