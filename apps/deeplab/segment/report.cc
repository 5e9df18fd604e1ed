#include "apps/deeplab/segment/report.h"

#include <nlohmann/json.hpp>

namespace deeplab::app {

std::string text_line(const SegmentReport& report) {
  return report.image + ": " + shares_text(report.shares, report.labels) + "\n";
}

std::string json_line(const SegmentReport& report) {
  using Json = nlohmann::ordered_json;
  const StageTimes& times = report.times;
  const Json object = {{"image", report.image},
                       {"width", report.width},
                       {"height", report.height},
                       {"model", report.model},
                       {"fit", fit_name(report.fit)},
                       {"classes", shares_json(report.shares, report.labels)},
                       {"timing_ms",
                        {{"decode", times.decode},
                         {"prepare", times.prepare},
                         {"infer", times.infer},
                         {"labels", times.labels},
                         {"write", times.write}}}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace deeplab::app
