#include "apps/deeplab/segment/json_polygons.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace deeplab::app {
namespace {

using Json = nlohmann::ordered_json;

/// Outer ring and holes as one closed line of x, y pairs.
Json outline(const Region& region) {
  Json line = Json::array();
  const auto append = [&line](int32_t x, int32_t y) {
    line.push_back(x);
    line.push_back(y);
  };
  const std::vector<int32_t>& outer = region.rings.front();
  for (const std::vector<int32_t>& ring : region.rings) {
    for (const int32_t coordinate : ring) line.push_back(coordinate);
    if (region.rings.size() == 1) break;
    append(ring[0], ring[1]);
    if (&ring != &outer) append(outer[0], outer[1]);
  }
  return line;
}

Json annotation(const Region& region, int id) {
  const Rect& box = region.box;
  return {{"id", id},
          {"image_id", 1},
          {"category_id", region.class_id},
          {"segmentation", Json::array({outline(region)})},
          {"area", region.area},
          {"bbox", {box.x, box.y, box.width, box.height}},
          {"iscrowd", 0}};
}

}  // namespace

Result<std::string> coco_polygons(const std::string& file_name, const MaskView& mask,
                                  const CocoOptions& options) {
  const auto is_wanted = [&options](int32_t id) {
    return std::ranges::find(options.classes, id) != options.classes.end();
  };
  PolygonOptions polygon_options;
  polygon_options.min_area = options.min_area;
  polygon_options.tolerance = options.tolerance;
  polygon_options.background = is_wanted(0);
  const auto traced = trace_polygons(mask, polygon_options);
  if (!traced.ok()) return traced.status();

  Json annotations = Json::array();
  int id = 0;
  for (const Region& region : *traced) {
    if (is_wanted(region.class_id)) annotations.push_back(annotation(region, ++id));
  }
  Json categories = Json::array();
  for (int32_t c : options.classes) {
    categories.push_back({{"id", c}, {"name", options.labels[static_cast<size_t>(c)]}});
  }
  const Json image = {
      {"id", 1}, {"file_name", file_name}, {"width", mask.width}, {"height", mask.height}};
  const Json document = {{"images", Json::array({image})},
                         {"annotations", std::move(annotations)},
                         {"categories", std::move(categories)}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace deeplab::app
