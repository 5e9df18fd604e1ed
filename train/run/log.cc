#include "train/run/log.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/file.h"

namespace deeplab::train {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMaxLogBytes = int64_t{1} << 30;
constexpr int kMaxDepth = 16;  // ours has 3; a limit, since printing a value is recursive
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// The object of a line, or nothing if it is torn.
std::optional<Json> parse_line(std::string_view line) {
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  Json object = Json::parse(line, watch, false);
  if (too_deep || !object.is_object()) return std::nullopt;
  return object;
}

double number_or_nan(const Json& value) {
  return value.is_number() ? value.get<double>() : kNotANumber;
}

double member(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() ? kNotANumber : number_or_nan(*it);
}

std::string as_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> texts(const Json& object, const char* name) {
  std::vector<std::string> list;
  const auto it = object.find(name);
  if (it == object.end() || !it->is_array()) return list;
  for (const Json& entry : *it) list.push_back(as_text(entry));
  return list;
}

void read_header(const Json& object, RunLog& log) {
  log.options.clear();
  for (const auto& [name, value] : object["options"].items()) {
    log.options.emplace_back(name, as_text(value));
  }
  log.classes = texts(object, "classes");
  log.dataset = texts(object, "dataset");
}

void read_step(const Json& object, int64_t step, RunLog& log) {
  // Going back: the run was resumed from a checkpoint before this step.
  log.steps.erase(log.steps.lower_bound(step), log.steps.end());
  std::erase_if(log.validations, [&](const RunValidation& v) { return v.step >= step; });
  std::map<std::string, double>& values = log.steps[step];
  for (const auto& [name, value] : object.items()) {
    // The writer turns what is not a number into null.
    if (name != "step" && (value.is_number() || value.is_null())) {
      values[name] = number_or_nan(value);
    }
  }
}

void read_validation(const Json& object, int64_t step, RunLog& log) {
  RunValidation validation;
  validation.step = step;
  validation.dataset = as_text(object["validation"]);
  validation.miou = member(object, "miou");
  validation.pixel_accuracy = member(object, "pixel_accuracy");
  if (const auto it = object.find("iou"); it != object.end() && it->is_array()) {
    for (const Json& value : *it) validation.iou.push_back(number_or_nan(value));
  }
  log.steps.erase(log.steps.upper_bound(step), log.steps.end());
  std::erase_if(log.validations, [&](const RunValidation& v) {
    return v.step > step || (v.step == step && v.dataset == validation.dataset);
  });
  log.validations.push_back(std::move(validation));
}

}  // namespace

Result<RunLog> read_run_log(const std::string& path) {
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_file(path, kMaxLogBytes));
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  RunLog log;
  bool has_header = false;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const std::optional<Json> object = parse_line(line);
    if (object && object->contains("options") && (*object)["options"].is_object()) {
      read_header(*object, log);
      has_header = true;
      continue;
    }
    if (!has_header) {
      return invalid_argument(path, ": the first line of a run's log holds its options, which ",
                              "this file's does not");
    }
    if (!object || !object->contains("step") || !(*object)["step"].is_number_integer()) {
      ++log.torn_lines;
      continue;
    }
    const auto step = (*object)["step"].get<int64_t>();
    if (object->contains("validation")) {
      read_validation(*object, step, log);
    } else {
      read_step(*object, step, log);
    }
  }
  if (!has_header) return invalid_argument(path, ": the log of a run, but empty");
  return log;
}

}  // namespace deeplab::train
