#include "apps/deeplab/segment/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "deeplab/deeplab_draw.h"

namespace deeplab::app {

namespace {

using Json = nlohmann::ordered_json;

const char* fit_name(Fit fit) {
  if (fit == Fit::kPad) return "pad";
  return fit == Fit::kLetterbox ? "letterbox" : "stretch";
}

/// One decimal, but never a class that was found as 0.0%.
std::string percent(double fraction) {
  return fraction < 0.0005 ? "<0.1%" : fmt::format("{:.1f}%", 100 * fraction);
}

}  // namespace

Result<std::vector<ClassShare>> class_shares(std::span<const uint8_t> mask, int32_t width,
                                             int32_t height) {
  int64_t counts[256];
  const deeplab_status code = deeplab_count_pixels(mask.data(), width, height, width, counts);
  if (code != DEEPLAB_OK) return Status(static_cast<StatusCode>(code), deeplab_last_error());
  std::vector<ClassShare> shares;
  for (int32_t id = 0; id < 256; ++id) {
    if (counts[id] == 0) continue;
    const double all = static_cast<double>(width) * height;
    shares.push_back({id, counts[id], static_cast<double>(counts[id]) / all});
  }
  std::ranges::stable_sort(shares, std::greater<>(), &ClassShare::pixels);
  return shares;
}

std::string text_line(const SegmentReport& report) {
  std::string line = report.image + ":";
  const char* separator = " ";
  for (const ClassShare& share : report.shares) {
    line += fmt::format("{}{} {}", separator, report.labels[static_cast<size_t>(share.id)],
                        percent(share.fraction));
    separator = ", ";
  }
  return line + "\n";
}

std::string json_line(const SegmentReport& report) {
  Json classes = Json::array();
  for (const ClassShare& share : report.shares) {
    classes.push_back({{"id", share.id},
                       {"name", report.labels[static_cast<size_t>(share.id)]},
                       {"pixels", share.pixels},
                       {"fraction", share.fraction}});
  }
  const StageTimes& times = report.times;
  const Json object = {{"image", report.image},
                       {"width", report.width},
                       {"height", report.height},
                       {"model", report.model},
                       {"fit", fit_name(report.fit)},
                       {"classes", std::move(classes)},
                       {"timing_ms",
                        {{"decode", times.decode},
                         {"prepare", times.prepare},
                         {"infer", times.infer},
                         {"labels", times.labels},
                         {"write", times.write}}}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace deeplab::app
