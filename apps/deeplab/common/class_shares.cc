#include "apps/deeplab/common/class_shares.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "deeplab/deeplab_draw.h"

namespace deeplab::app {
namespace {

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
  return class_shares(counts);
}

std::vector<ClassShare> class_shares(std::span<const int64_t> counts) {
  const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
  std::vector<ClassShare> shares;
  for (size_t id = 0; id < counts.size(); ++id) {
    if (counts[id] == 0) continue;
    shares.push_back({static_cast<int32_t>(id), counts[id], static_cast<double>(counts[id]) / all});
  }
  std::ranges::stable_sort(shares, std::greater<>(), &ClassShare::pixels);
  return shares;
}

std::string shares_text(std::span<const ClassShare> shares, std::span<const std::string> labels) {
  std::string text;
  for (const ClassShare& share : shares) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", labels[static_cast<size_t>(share.id)],
                        percent(share.fraction));
  }
  return text;
}

nlohmann::ordered_json shares_json(std::span<const ClassShare> shares,
                                   std::span<const std::string> labels) {
  auto classes = nlohmann::ordered_json::array();
  for (const ClassShare& share : shares) {
    classes.push_back({{"id", share.id},
                       {"name", labels[static_cast<size_t>(share.id)]},
                       {"pixels", share.pixels},
                       {"fraction", share.fraction}});
  }
  return classes;
}

const char* fit_name(Fit fit) {
  if (fit == Fit::kPad) return "pad";
  return fit == Fit::kLetterbox ? "letterbox" : "stretch";
}

}  // namespace deeplab::app
