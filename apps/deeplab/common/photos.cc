#include "apps/deeplab/common/photos.h"

#include <fmt/format.h>

#include "imageio/file_kind.h"

namespace deeplab::app {

void print_warning(const std::string& photo, const std::string& warning) {
  print_error(fmt::format("warning: {}: {}; --strict refuses it", photo, warning));
}
void print_warning(const Photo& photo, const std::string& warning) {
  print_warning(photo.name(), warning);
}

ExitCode report_passed_over(const std::vector<photos::PassedOver>& files, bool strict, bool quiet) {
  std::string line = photos::passed_over_line(files);
  if (line.empty()) return ExitCode::kDone;
  const std::string missing = imageio::missing_formats();
  for (const photos::PassedOver& file : files) {
    const size_t space = file.kind.find(' ');
    // One of the optional pictures is there: say how to get all of them.
    if (!missing.empty() && file.kind.ends_with(" picture") &&
        missing.find(file.kind.substr(0, space)) != missing.npos) {
      line += fmt::format("; ./build.sh --with codecs adds {}", missing);
      break;
    }
  }
  if (strict || !quiet) print_error(line);
  return strict ? ExitCode::kFailed : ExitCode::kDone;
}

}  // namespace deeplab::app
