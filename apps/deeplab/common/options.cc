#include "apps/deeplab/common/options.h"

#include <fmt/format.h>

#include <charconv>

#include "vision/image_view.h"

namespace deeplab::app {
namespace {

bool parse_side(std::string_view text, int32_t& side) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), side);
  return error == std::errc() && end == text.data() + text.size() && side >= 1 &&
         side <= vision::kMaxSide;
}

}  // namespace

Result<CanvasSize> parse_size(std::string_view text) {
  CanvasSize size;
  const size_t cross = text.find('x');
  const std::string_view height = cross == text.npos ? text : text.substr(cross + 1);
  if (!parse_side(text.substr(0, cross), size.width) || !parse_side(height, size.height)) {
    return invalid_argument("invalid size '", text,
                            "'; expected N or WIDTHxHEIGHT in pixels, 1 to ", vision::kMaxSide);
  }
  return size;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (true) {
    const size_t comma = text.find(',');
    items.emplace_back(text.substr(0, comma));
    if (comma == text.npos) return items;
    text.remove_prefix(comma + 1);
  }
}

CLI::Validator number_from(double low, double high) {
  const auto check = [low, high](std::string& text) {
    double value = 0;
    const bool fits = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
    return fits ? "" : fmt::format("invalid value '{}'; expected {} to {}", text, low, high);
  };
  return {check, ""};
}

CLI::Option* add_model_option(CLI::App& app, std::string& path) {
  return app.add_option("-m,--model", path, "Model file (.tflite)")->type_name("FILE");
}

CLI::Option* add_fit_option(CLI::App& app, vision::Fit& fit) {
  return app
      .add_option_function<std::string>(
          "--fit",
          [&fit](const std::string& name) {
            const auto parsed = vision::fit_from_name(name);
            if (!parsed.ok()) throw CLI::ValidationError("--fit", parsed.status().message());
            fit = *parsed;
          },
          "How a photo is placed on the canvas; letterbox and stretch also enlarge small ones "
          "[pad]")
      ->type_name("pad|letterbox|stretch");
}

CLI::Option* add_size_option(CLI::App& app, CanvasSize& size) {
  return app
      .add_option_function<std::string>(
          "--size",
          [&size](const std::string& text) {
            const auto parsed = parse_size(text);
            if (!parsed.ok()) throw CLI::ValidationError("--size", parsed.status().message());
            size = *parsed;
          },
          "The network's canvas in pixels [the model's own]")
      ->type_name("N|WxH");
}

CLI::Option* add_output_stride_option(CLI::App& app, int32_t& stride) {
  return app
      .add_option(
          "--output-stride", stride,
          "Pixels per cell of the network's coarsest grid; a multiple of the model's own is faster "
          "and coarser [the model's own]")
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("N");
}

CLI::Option* add_threads_option(CLI::App& app, int& threads) {
  return app.add_option("--threads", threads, "Threads of the network; 0 is one per CPU")
      ->check(CLI::Range(0, 256).description(""))
      ->type_name("N");
}

CLI::Option* add_class_option(CLI::App& app, std::vector<std::string>& classes) {
  return app
      .add_option_function<std::string>(
          "--class", [&classes](const std::string& list) { classes = split_list(list); },
          "Classes, by name or id [all but the background]")
      ->type_name("LIST");
}

CLI::Option* add_palette_option(CLI::App& app, std::string& palette) {
  return app
      .add_option("--palette", palette,
                  "Colours of masks and overlays: voc, cityscapes, ade20k or a file with a colour "
                  "per line, R,G,B "
                  "or #RRGGBB")
      ->type_name("NAME|FILE")
      ->capture_default_str();
}

CLI::Option* add_mask_map_option(CLI::App& app, std::string& path) {
  return app
      .add_option(
          "--mask-map", path,
          "The class of each mask value or colour: lines '255 = cat' or '#FF0000 = cat', or "
          "CVAT's labelmap.txt")
      ->type_name("FILE");
}

void add_decode_options(CLI::App& app, photos::DecodeOptions& options) {
  using photos::ColorManagement;
  app.add_flag("--strict", options.strict,
               "Refuse damaged JPEGs that are else read with a warning; status 1 for files of a "
               "directory that were passed over");
  const bool built_in = imageio::has_color_management();
  if (built_in) options.color = ColorManagement::kView;
  app.add_option_function<std::string>(
         "--color-management",
         [&options, built_in](const std::string& name) {
           if (name == "off") {
             options.color = ColorManagement::kOff;
           } else if (name == "view" || name == "all") {
             if (!built_in) {
               throw CLI::ValidationError(
                   "--color-management",
                   "this deeplab was built without lcms2, which ./build.sh --with codecs adds");
             }
             options.color = name == "all" ? ColorManagement::kAll : ColorManagement::kView;
           } else {
             throw CLI::ValidationError("--color-management",
                                        "unknown value '" + name + "'; expected off, view or all");
           }
         },
         std::string("ICC profiles to sRGB: not at all, for overlays and cut-outs, or for the "
                     "network, too [") +
             (built_in ? "view]" : "off]"))
      ->type_name("off|view|all");
}

CLI::Option* add_json_flag(CLI::App& app, bool& json) {
  return app.add_flag("--json", json, "Results as JSON, one object per line");
}

CLI::Option* add_quiet_flag(CLI::App& app, bool& quiet) {
  return app.add_flag("--quiet", quiet, "Errors only: no progress bar, no summary");
}

}  // namespace deeplab::app
