#include "apps/deeplab/evaluate/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/file.h"
#include "deeplab/deeplab.h"
#include "graph/graph.h"
#include "html/page.h"

namespace deeplab::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "deeplab evaluate 1";
constexpr const char* kMaskMap = "--mask-map";
constexpr const char* kColors = "--color-management";
constexpr const char* kStrict = "--strict";
constexpr const char* kBackend = "--backend";
/// What a state says of flags that are younger than it.
const std::map<std::string_view, std::string_view> kYoungerFlags = {
    {kMaskMap, "none"}, {kColors, "view"}, {kStrict, "off"}, {kBackend, "engine"}};
constexpr int64_t kMaxStateBytes = int64_t{1} << 32;

/// FNV-1a, 64 bits: tells files apart that differ by accident, not by design.
class Hash {
 public:
  Hash& add(std::span<const std::byte> bytes) {
    for (const std::byte b : bytes) {
      state_ = (state_ ^ std::to_integer<uint64_t>(b)) * 0x100000001B3u;
    }
    return *this;
  }
  /// With its length, so that neighbours do not run into each other.
  Hash& add(std::string_view text) {
    return add(static_cast<int64_t>(text.size())).add(std::as_bytes(std::span(text)));
  }
  Hash& add(int64_t value) { return add(std::as_bytes(std::span(&value, 1))); }
  std::string text() const { return fmt::format("{:016x}", state_); }

 private:
  uint64_t state_ = 0xCBF29CE484222325u;
};

std::string model_hash(const api::Model& model, const graph::Graph& graph) {
  Hash hash;
  hash.add(graph::dump(graph));
  for (const graph::Tensor& tensor : graph.tensors) {
    if (tensor.is_constant()) hash.add(*tensor.data);
  }
  for (const std::string& label : model.labels()) hash.add(label);
  hash.add(std::as_bytes(std::span(model.normalization().mean)));
  hash.add(std::as_bytes(std::span(model.normalization().std)));
  return hash.text();
}

std::string files_hash(const eval::VocItem& item) {
  Hash hash;
  for (const std::string& path : {item.image_path, item.mask_path}) {
    std::error_code ignored;  // a file that is gone says so when it is opened
    hash.add(static_cast<int64_t>(fs::file_size(path, ignored)));
    hash.add(int64_t{fs::last_write_time(path, ignored).time_since_epoch().count()});
  }
  return hash.text();
}

/// The engine, or TensorFlow Lite with all that may change its numbers.
std::string backend_text(const tflite_library::Options* options) {
  if (options == nullptr) return "engine";
  std::string text = "tflite";
  if (!options->library.empty()) text += " " + html::valid_utf8(options->library);
  if (!options->delegate.empty()) text += " with " + html::valid_utf8(options->delegate);
  for (const auto& [key, value] : options->delegate_options) {
    text += " " + html::valid_utf8(key) + "=" + html::valid_utf8(value);
  }
  return text;
}

std::string resolved(const std::string& path) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(path, error);
  // As the state's JSON will hold it, whatever bytes there are in the name.
  return html::valid_utf8(error ? path : canonical.string());
}

Json to_json(const eval::PhotoScore& photo, const std::string& id, const std::string& files) {
  Json cells = Json::array();
  for (const eval::ConfusionCell& cell : photo.counts.cells) {
    cells.push_back({cell.truth, cell.predicted, cell.pixels});
  }
  Json boundary = Json::array();
  for (const eval::BoundaryScore& score : photo.boundary) {
    boundary.push_back({score.class_id, score.f});
  }
  return {{"id", id},
          {"files", files},
          {"cells", std::move(cells)},
          {"ignored", photo.counts.ignored},
          {"boundary", std::move(boundary)}};
}

/// A whole number in 0..limit-1. This and what calls it throw what parse_state() turns into a
/// sentence.
int64_t whole(const Json& value, int64_t limit) {
  const auto number = value.is_number_integer() ? value.get<int64_t>() : -1;
  if (number < 0 || number >= limit) throw std::out_of_range("number");
  return number;
}

eval::PhotoScore photo_from_json(const Json& object, int32_t classes) {
  constexpr int64_t kMaxCount = int64_t{1} << 40;
  eval::PhotoScore photo;
  for (const Json& cell : object.at("cells")) {
    photo.counts.cells.push_back({static_cast<uint8_t>(whole(cell.at(0), classes)),
                                  static_cast<uint8_t>(whole(cell.at(1), classes)),
                                  whole(cell.at(2), kMaxCount)});
  }
  photo.counts.ignored = whole(object.at("ignored"), kMaxCount);
  for (const Json& score : object.at("boundary")) {
    photo.boundary.push_back(
        {static_cast<uint8_t>(whole(score.at(0), classes)), score.at(1).get<double>()});
  }
  return photo;
}

}  // namespace

EvaluateState::EvaluateState(std::string path, const api::Model& model, const graph::Graph& graph,
                             const eval::VocDataset& dataset, const eval::Protocol& protocol,
                             const std::string& predictions, const eval::ClassMap* classes)
    : path_(std::move(path)),
      classes_(model.class_count()),
      facts_{{"program", deeplab_version()},
             {"model", model_hash(model, graph)},
             {"dataset", resolved(dataset.root)},
             {"split", html::valid_utf8(dataset.split)},
             {"--fit", std::string(vision::fit_name(protocol.fit))},
             {"--size", fmt::format("{}x{}", protocol.width, protocol.height)},
             {"--output-stride", fmt::format("{}", protocol.output_stride)},
             {"--scales", fmt::format("{}", fmt::join(protocol.scales, ","))},
             {"--flip", protocol.flip ? "on" : "off"},
             {"--predictions", predictions.empty() ? "none" : resolved(predictions)},
             // Of the network, off and view are the same.
             {kColors, protocol.decode.color == photos::ColorManagement::kAll ? "all" : "view"},
             {kStrict, protocol.decode.strict ? "on" : "off"},
             {kBackend, backend_text(protocol.tflite.get())},
             {kMaskMap, classes != nullptr ? Hash().add(classes->text()).text() : "none"}} {
  for (const eval::VocItem& item : dataset.items) {
    ids_.push_back(html::valid_utf8(item.id));
    files_.push_back(files_hash(item));
  }
}

Result<std::vector<std::optional<eval::PhotoScore>>> EvaluateState::read() const {
  std::error_code ignored;
  if (!fs::exists(path_, ignored)) {
    return std::vector<std::optional<eval::PhotoScore>>(ids_.size());
  }
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_file(path_, kMaxStateBytes));
  auto photos = parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (photos.ok()) return photos;
  return invalid_argument(path_, " is not a state of this evaluation: ", photos.status().message(),
                          "; delete it or name another file");
}

Result<std::vector<std::optional<eval::PhotoScore>>> EvaluateState::parse(
    std::string_view text) const {
  std::map<std::string_view, size_t> index;
  for (size_t i = 0; i < ids_.size(); ++i) index.emplace(ids_[i], i);
  std::vector<std::optional<eval::PhotoScore>> photos(ids_.size());
  try {
    const Json state = Json::parse(text);
    if (state.at("format") != kFormat) return invalid_argument("it has another format");
    for (const auto& [name, value] : facts_) {
      const Json& made_with = state.at("made_with");
      const auto younger = kYoungerFlags.find(name);
      const auto made = younger != kYoungerFlags.end() && !made_with.contains(name)
                            ? std::string(younger->second)
                            : made_with.at(name).get<std::string>();
      if (made == value) continue;
      return invalid_argument("it was made with another ", name, ": ", made, " then, ", value,
                              " now");
    }
    for (const Json& object : state.at("photos")) {
      eval::PhotoScore photo = photo_from_json(object, classes_);
      const auto known = index.find(object.at("id").get_ref<const std::string&>());
      if (known == index.end() || object.at("files") != files_[known->second]) continue;
      photos[known->second] = std::move(photo);
    }
    return photos;
  } catch (const Json::exception&) {  // no JSON, or other members
  } catch (const std::out_of_range&) {
  }
  return invalid_argument("it is damaged, or not a state file");
}

Status EvaluateState::write(std::span<const std::optional<eval::PhotoScore>> photos) const {
  Json made_with = Json::object();
  for (const auto& [name, value] : facts_) made_with[name] = value;
  Json kept = Json::array();
  for (size_t i = 0; i < photos.size(); ++i) {
    if (photos[i]) kept.push_back(to_json(*photos[i], ids_[i], files_[i]));
  }
  const Json state = {
      {"format", kFormat}, {"made_with", std::move(made_with)}, {"photos", std::move(kept)}};
  const std::string text = state.dump() + "\n";
  return write_file_atomically(path_, std::as_bytes(std::span(text)));
}

}  // namespace deeplab::app
