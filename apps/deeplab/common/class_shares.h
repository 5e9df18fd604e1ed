// What a mask holds, in the words of every command that says so.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "deeplab/deeplab.hpp"

namespace deeplab::app {

/// How much of a mask a class covers.
struct ClassShare {
  int32_t id = 0;
  int64_t pixels = 0;
  double fraction = 0;  ///< Of all pixels of the mask.
};

/// The classes that occur in the mask, background included, by falling fraction, then by id.
Result<std::vector<ClassShare>> class_shares(std::span<const uint8_t> mask, int32_t width,
                                             int32_t height);

/// The same of pixels that were counted, one number for each of the ids 0..255.
std::vector<ClassShare> class_shares(std::span<const int64_t> counts);

/// "background 71.4%, cat 28.6%". `labels` are by class id.
std::string shares_text(std::span<const ClassShare> shares, std::span<const std::string> labels);

/// [{"id", "name", "pixels", "fraction"}, ...]
nlohmann::ordered_json shares_json(std::span<const ClassShare> shares,
                                   std::span<const std::string> labels);

/// As --fit has it.
const char* fit_name(Fit fit);

}  // namespace deeplab::app
