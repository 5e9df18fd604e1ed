// The command line of deeplab-video.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/deeplab/common/backend_flags.h"
#include "apps/deeplab/common/model_flags.h"
#include "apps/deeplab/common/options.h"
#include "apps/video/painter.h"
#include "apps/video/reader.h"

namespace deeplab::video {

struct VideoOptions {
  ReaderOptions input;
  std::string output;  ///< Empty: none, with --json.
  Output write = Output::kOverlay;
  std::string codec;
  int64_t every = 1;
  int64_t max_frames = 0;  ///< 0: all.
  double fps = 0;          ///< 0: the canvas is not chosen by a frame rate.
  float temporal = 0;

  std::string model;
  vision::Fit fit = vision::Fit::kPad;
  app::CanvasSize size;
  int32_t output_stride = 0;
  int threads = 0;
  app::ModelFlags model_flags;
  app::BackendFlags backend;
  std::vector<std::string> classes;
  std::string palette = "voc";

  bool json = false;
  bool quiet = false;
};

/// Adds all flags. What they say together is checked after parsing. `options` must live until the
/// command line has parsed.
void add_options(CLI::App& app, VideoOptions& options);

/// "90", "1:30", "0:01:30.5" as seconds.
Result<double> parse_time(const std::string& text);

}  // namespace deeplab::video
