// The flags that several subcommands share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "photos/photos.h"
#include "vision/placement.h"

namespace deeplab::app {

/// Width and height of the network's input canvas; 0, 0 is the model's own.
struct CanvasSize {
  int32_t width = 0;
  int32_t height = 0;
};

/// "513" (both sides) or "640x360"; each side 1 to 65535.
Result<CanvasSize> parse_size(std::string_view text);

/// "a,b,c" without the commas. Empty items stay, so that a caller can refuse them.
std::vector<std::string> split_list(std::string_view text);

/// Checks a number of a flag. Unlike CLI::Range it refuses nan.
CLI::Validator number_from(double low, double high);

// Each of these adds one flag that writes to `value` when given, and leaves it alone otherwise.
// `value` must live until the command line has parsed.

/// -m, --model FILE. Empty stands for the built-in model; see load_model() in model_flags.h.
CLI::Option* add_model_option(CLI::App& app, std::string& path);
/// --fit pad|letterbox|stretch.
CLI::Option* add_fit_option(CLI::App& app, vision::Fit& fit);
/// --size N|WxH.
CLI::Option* add_size_option(CLI::App& app, CanvasSize& size);
/// --output-stride N; 0 is the model's own.
CLI::Option* add_output_stride_option(CLI::App& app, int32_t& stride);
/// --threads N; 0 is one per CPU.
CLI::Option* add_threads_option(CLI::App& app, int& threads);
/// --class LIST, by name or id; see find_classes() in public_model.h.
CLI::Option* add_class_option(CLI::App& app, std::vector<std::string>& classes);
/// --palette NAME|FILE; see find_palette() in palette.h.
CLI::Option* add_palette_option(CLI::App& app, std::string& palette);
/// --mask-map FILE: what the values of a dataset's masks stand for.
CLI::Option* add_mask_map_option(CLI::App& app, std::string& path);
/// --strict and --color-management.
void add_decode_options(CLI::App& app, photos::DecodeOptions& options);
/// --json.
CLI::Option* add_json_flag(CLI::App& app, bool& json);
/// --quiet.
CLI::Option* add_quiet_flag(CLI::App& app, bool& quiet);

}  // namespace deeplab::app
