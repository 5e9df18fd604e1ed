// A video through the network: reading, inference and writing at the same time.
#pragma once

#include "apps/deeplab/common/command.h"
#include "apps/video/options.h"

namespace deeplab::video {

/// Everything that the command line asks for. Errors go to standard error.
app::ExitCode run_video(const VideoOptions& options);

}  // namespace deeplab::video
