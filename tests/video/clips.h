// Clips for the tests, and looks into videos, both by the programs ffmpeg and ffprobe.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace deeplab::testing {

/// Whether ffmpeg and ffprobe are there.
bool has_ffmpeg();

/// What a command prints; throws if it fails.
std::string output_of(const std::string& command);

/// A clip of the cat that moves: `frames` of `size` ("320x240"), encoded as `options` of ffmpeg
/// say.
void make_clip(const std::string& path, int frames, const std::string& size,
               const std::string& options);
/// Any clip: arguments of ffmpeg after the ones about its own output.
void run_ffmpeg(const std::string& arguments);

/// Time stamps of the frames as ffprobe prints them, in the order in which they are shown.
std::vector<std::string> times_of(const std::string& path);
/// A value of ffprobe's for the first video stream, such as "width".
std::string stream_value(const std::string& path, const std::string& name);
/// All frames, upright, as ffmpeg decodes them into this pixel format ("rgb24", "gray"), one after
/// the other.
std::vector<uint8_t> pixels_of(const std::string& path, const std::string& format);

}  // namespace deeplab::testing

/// Skips the current test if clips cannot be made.
#define DEEPLAB_NEEDS_FFMPEG()                                                      \
  do {                                                                              \
    if (!::deeplab::testing::has_ffmpeg()) {                                        \
      GTEST_SKIP() << "skipped: the programs ffmpeg and ffprobe are not installed"; \
    }                                                                               \
  } while (false)
