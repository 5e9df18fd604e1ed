#include "api/model.h"

#include <algorithm>

#include "api/vision_terms.h"
#include "base/file.h"
#include "base/hash.h"
#include "passes/fold_input_quantize.h"
#include "passes/output_stride.h"
#include "passes/pipeline.h"
#include "vision/palette.h"

namespace deeplab::api {
namespace {

/// What reading needs; the rest is a segmenter's business, and its caller may raise it.
graph::Limits reading_limits() {
  graph::Limits limits;
  limits.max_total_bytes = limits.max_plan_bytes = limits.max_macs = INT64_MAX;
  limits.max_weights = int64_t{1} << 28;  // Reading is quicker than packing.
  return limits;
}

/// The file's graph made ready to be planned.
Result<Network> make_network(graph::Graph graph, float threshold) {
  Network network;
  DEEPLAB_RETURN_IF_ERROR(passes::optimize(graph));
  DEEPLAB_ASSIGN_OR_RETURN(network.head, passes::cut_label_head(graph, threshold));
  network.input_quantize_cut = passes::fold_input_quantize(graph).has_value();
  network.input = graph.inputs.front();
  network.graph = std::move(graph);
  return network;
}

/// The file's graph with its head cut off and nothing else done to it.
Result<Network> cut_network(graph::Graph graph, float threshold) {
  Network network;
  network.graph = std::move(graph);
  network.input = network.graph.inputs.front();
  DEEPLAB_ASSIGN_OR_RETURN(network.head, passes::cut_label_head(network.graph, threshold));
  return network;
}

/// `given` without holes. A file without labels still names every class.
std::vector<std::string> make_labels(const std::vector<std::string>& given, int32_t classes) {
  std::vector<std::string> labels = given;
  const bool is_voc =
      labels.empty() && classes == static_cast<int32_t>(vision::kVocClassNames.size());
  if (is_voc) labels.assign(vision::kVocClassNames.begin(), vision::kVocClassNames.end());
  labels.resize(static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].empty()) labels[i] = str_cat("class ", i);
  }
  return labels;
}

}  // namespace

Result<vision::Normalization> choose_normalization(const tflite::Metadata& metadata,
                                                   const ModelOptions& options) {
  vision::Normalization chosen;
  if (const auto& given = metadata.normalization) {
    auto normalization = vision::make_normalization(given->mean, given->stddev);
    if (!normalization.ok()) return annotate(normalization.status(), "metadata");
    chosen = *normalization;
  }
  return vision::make_normalization(options.mean.value_or(chosen.mean),
                                    options.std.value_or(chosen.std));
}

Status check_labels(size_t labels, int32_t classes, const std::string& name) {
  if (labels == static_cast<size_t>(classes)) return {};
  return invalid_argument(name, ": expected ", classes, " labels, one per line, found ", labels);
}

Result<std::shared_ptr<const Model>> Model::load(const std::string& path,
                                                 const ModelOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(std::optional<InputFile> file, InputFile::open(path));
  DEEPLAB_ASSIGN_OR_RETURN(std::vector<std::byte> bytes, file->read(tflite::kMaxFileBytes));
  if (!file->is_lasting()) file.reset();
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return make(owner, *owner, path, options, std::move(file));
}

Result<std::shared_ptr<const Model>> Model::parse(std::span<const std::byte> bytes,
                                                  const std::string& name,
                                                  const ModelOptions& options) {
  const auto owner = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  return make(owner, *owner, name, options);
}

Result<std::shared_ptr<const Model>> Model::parse_in_place(std::shared_ptr<const void> owner,
                                                           std::span<const std::byte> bytes,
                                                           const std::string& name) {
  return make(owner, bytes, name, {});
}

Result<std::shared_ptr<const Model>> Model::parse_static(std::span<const std::byte> bytes,
                                                         const std::string& name,
                                                         const ModelOptions& options) {
  return make(nullptr, bytes, name, options);
}

Result<std::shared_ptr<const Model>> Model::make(const std::shared_ptr<const void>& owner,
                                                 std::span<const std::byte> bytes,
                                                 const std::string& name,
                                                 const ModelOptions& options,
                                                 std::optional<InputFile> file) {
  std::shared_ptr<Model> model(new Model());
  model->name_ = name;
  model->output_ = options.output;
  model->threshold_ = options.threshold;
  tflite::ModelFile rest;
  DEEPLAB_ASSIGN_OR_RETURN(
      model->contents_,
      model->read(owner, bytes,
                  options.allow_custom_ops ? tflite::CustomOps::kAllow : tflite::CustomOps::kRefuse,
                  rest));
  model->metadata_ = std::move(rest.metadata);
  model->opaque_ops_ = rest.opaque_ops;
  DEEPLAB_RETURN_IF_ERROR(annotate(model->understand(options), name));
  if (file && !model->has_custom_ops()) {
    model->outline_ = model->contents_->file;
    graph::drop_constants(model->outline_);
    model->file_hash_ = hash_of(bytes);
    model->file_ = std::move(file);
  }
  return std::shared_ptr<const Model>(std::move(model));
}

Result<std::shared_ptr<const Model::Contents>> Model::read(const std::shared_ptr<const void>& owner,
                                                           std::span<const std::byte> bytes,
                                                           tflite::CustomOps custom,
                                                           tflite::ModelFile& file) const {
  DEEPLAB_ASSIGN_OR_RETURN(
      file, tflite::read_model_in_place(owner, bytes, name_, reading_limits(), custom));
  const auto contents = std::make_shared<Contents>();
  contents->file = std::move(file.graph);
  contents->bytes = bytes;
  contents->bytes_owner = owner;
  contents->bytes_are_static = owner == nullptr;
  const bool has_custom_ops = file.opaque_ops > 0;
  const auto make_ready = [&]() -> Status {
    if (has_custom_ops) {
      contents->kept_bytes = owner;
    } else {
      DEEPLAB_RETURN_IF_ERROR(graph::make_batch_one(contents->file, reading_limits()));
    }
    DEEPLAB_RETURN_IF_ERROR(select_output(contents->file, output_));
    DEEPLAB_RETURN_IF_ERROR(check_picture_input(contents->file, has_custom_ops));
    DEEPLAB_ASSIGN_OR_RETURN(contents->network, has_custom_ops
                                                    ? cut_network(contents->file, threshold_)
                                                    : make_network(contents->file, threshold_));
    return {};
  };
  DEEPLAB_RETURN_IF_ERROR(annotate(make_ready(), name_));
  return std::shared_ptr<const Contents>(contents);
}

Result<std::shared_ptr<const Model::Contents>> Model::contents() const {
  const std::lock_guard lock(contents_mutex_);
  if (contents_ != nullptr) return contents_;
  if (auto held = read_again_.lock()) return held;
  DEEPLAB_ASSIGN_OR_RETURN(const auto contents, read_again());
  read_again_ = contents;
  return contents;
}

/// Bytes, not times: those of a file may be set, and be the same twice in some milliseconds.
Result<std::shared_ptr<const Model::Contents>> Model::read_again() const {
  const auto written_to = [&] {
    return io_error(name_, " was written to after it was loaded; its weights are needed again");
  };
  DEEPLAB_ASSIGN_OR_RETURN(std::vector<std::byte> bytes, file_->read(tflite::kMaxFileBytes));
  if (hash_of(bytes) != file_hash_) return written_to();
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  tflite::ModelFile rest;
  DEEPLAB_ASSIGN_OR_RETURN(const auto contents,
                           read(owner, *owner, tflite::CustomOps::kRefuse, rest));
  // Somebody may have made another file of the same hash: memory depends on these.
  const auto input_shape = [](const graph::Graph& graph) {
    return graph.tensor(graph.inputs.front()).shape;
  };
  const bool is_alike = input_shape(contents->file) == input_shape(outline_) &&
                        contents->network.head.classes == head_.classes;
  if (!is_alike) return written_to();
  return contents;
}

void Model::release_weights() const {
  if (!file_) return;
  std::shared_ptr<const Contents> released;  // freed without the lock
  const std::lock_guard lock(contents_mutex_);
  if (contents_ != nullptr) read_again_ = contents_;  // for those who plan at this moment
  released.swap(contents_);
}

Result<std::shared_ptr<const graph::Graph>> Model::graph_with_weights() const {
  DEEPLAB_ASSIGN_OR_RETURN(const auto contents, this->contents());
  return std::shared_ptr<const graph::Graph>(contents, &contents->file);
}

Status Model::understand(const ModelOptions& options) {
  const graph::Shape& input = contents_->file.tensor(contents_->file.inputs.front()).shape;
  input_height_ = input[1];
  input_width_ = input[2];
  head_ = contents_->network.head;
  const int32_t classes = head_.classes;
  std::vector<std::string> labels = options.labels.value_or(metadata_.labels);
  // Nobody names the background of a one-class network.
  const bool one_class = head_.one_class;
  if (one_class && labels.size() == 1) labels.insert(labels.begin(), "background");
  if (options.labels) {
    DEEPLAB_RETURN_IF_ERROR(check_labels(labels.size(), classes, options.labels_name));
  } else if (!labels.empty() && labels.size() != static_cast<size_t>(classes)) {
    return invalid_model(
        "the metadata names ", labels.size(), " classes, the network has ", classes,
        "; expected one label per class, or the right ones by the option 'labels'");
  }
  has_label_names_ =
      !labels.empty() || classes == static_cast<int32_t>(vision::kVocClassNames.size());
  if (one_class && labels.empty()) labels = {"background", "foreground"};
  labels_ = make_labels(labels, classes);
  DEEPLAB_ASSIGN_OR_RETURN(normalization_, choose_normalization(metadata_, options));
  is_normalization_known_ = metadata_.normalization || options.mean || options.std;
  return {};
}

Result<PlannedNetwork> Model::plan(int32_t height, int32_t width, Isa isa, int threads,
                                   const graph::Limits& limits, int32_t output_stride) const {
  const PlanKey key{height, width, isa, threads, limits, output_stride, current_memory_hook()};
  const auto entry_of_key = [&] {
    return std::find_if(cache_.begin(), cache_.end(),
                        [&](const CachedPlan& entry) { return entry.key == key; });
  };
  {
    std::unique_lock lock(cache_mutex_);
    planned_.wait(lock, [&] {
      const auto entry = entry_of_key();
      return entry == cache_.end() || !entry->is_planning;
    });
    std::erase_if(
        cache_, [](const CachedPlan& entry) { return !entry.is_planning && entry.plan.expired(); });
    const auto entry = entry_of_key();
    if (entry != cache_.end()) {
      PlannedNetwork planned = entry->network;
      planned.plan = entry->plan.lock();
      if (planned.plan != nullptr) {
        keep(planned.plan);
        return planned;
      }
      cache_.erase(entry);
    }
    cache_.push_back({key, true, {}, {}});
  }
  // Even if it fails, those that wait for this plan have to continue.
  const auto settle = [&](const PlannedNetwork* made) {
    const std::lock_guard lock(cache_mutex_);
    const auto entry = entry_of_key();
    if (made == nullptr) {
      cache_.erase(entry);
    } else {
      entry->is_planning = false;
      entry->plan = made->plan;
      entry->network = *made;
      entry->network.plan = nullptr;
    }
    planned_.notify_all();
  };
  try {
    Result<PlannedNetwork> made = make_plan(key);
    settle(made.ok() ? &*made : nullptr);
    if (made.ok()) {
      const std::lock_guard lock(cache_mutex_);
      keep(made->plan);
    }
    return made;
  } catch (...) {
    const std::lock_guard lock(cache_mutex_);
    const auto entry = entry_of_key();
    if (entry != cache_.end() && entry->is_planning) {
      cache_.erase(entry);
      planned_.notify_all();
    }
    throw;
  }
}

Result<PlannedNetwork> Model::make_plan(const PlanKey& key) const {
  if (has_custom_ops()) {
    return unsupported(name_,
                       ": its custom ops are code for an accelerator, which only TensorFlow Lite "
                       "with its delegate runs (backend tflite)");
  }
  DEEPLAB_ASSIGN_OR_RETURN(const auto contents, this->contents());
  Network network = contents->network;
  if (key.height != input_height_ || key.width != input_width_ || key.output_stride != 0) {
    DEEPLAB_ASSIGN_OR_RETURN(graph::Graph graph, file_graph(*contents, key.height, key.width,
                                                            key.limits, key.output_stride));
    DEEPLAB_ASSIGN_OR_RETURN(network, make_network(std::move(graph), threshold_));
    DEEPLAB_RETURN_IF_ERROR(check_classes(network.head, key.height, key.width));
  }
  plan::PlanOptions options;
  options.isa = key.isa;
  options.threads = key.threads;
  options.limits = key.limits;
  options.pixel_input = true;
  auto plan = plan::Plan::build(std::move(network.graph), options);
  if (!plan.ok()) return annotate(plan.status(), name_);
  return PlannedNetwork{*plan,        key.height,    key.width,
                        network.head, network.input, network.input_quantize_cut};
}

/// The file's graph for a canvas.
Result<graph::Graph> Model::file_graph(const Contents& contents, int32_t height, int32_t width,
                                       const graph::Limits& limits, int32_t output_stride) const {
  graph::Graph graph = contents.file;
  if (height != input_height_ || width != input_width_) {
    DEEPLAB_RETURN_IF_ERROR(annotate(graph::resize_input(graph, height, width, limits), name_));
  }
  if (output_stride != 0) {
    DEEPLAB_RETURN_IF_ERROR(
        annotate(passes::set_output_stride(graph, output_stride, limits), name_));
  }
  return graph;
}

/// A graph may make channels of its columns; then it has no classes of its own.
Status Model::check_classes(const passes::LabelHead& head, int32_t height, int32_t width) const {
  if (head.classes == head_.classes) return {};
  return unsupported(name_, ": on a canvas of ", width, "x", height, " it would have ",
                     head.classes, " classes instead of ", head_.classes);
}

Result<Network> Model::file_network(int32_t height, int32_t width, const graph::Limits& limits,
                                    int32_t output_stride) const {
  const bool resized = height != input_height_ || width != input_width_;
  if (has_custom_ops() && (resized || output_stride != 0)) {
    return unsupported(name_, ": a file with custom ops runs at its own canvas only, ",
                       input_width_, "x", input_height_);
  }
  DEEPLAB_ASSIGN_OR_RETURN(const auto contents, this->contents());
  DEEPLAB_ASSIGN_OR_RETURN(graph::Graph graph,
                           file_graph(*contents, height, width, limits, output_stride));
  auto cut = cut_network(std::move(graph), threshold_);
  if (!cut.ok()) return annotate(cut.status(), name_);
  Network network = std::move(*cut);
  network.opaque_ops = opaque_ops_;
  if (!resized && output_stride == 0) {
    network.bytes_owner = contents->bytes_owner.lock();
    if (network.bytes_owner != nullptr || contents->bytes_are_static) {
      network.bytes = contents->bytes;
    }
  }
  DEEPLAB_RETURN_IF_ERROR(check_classes(network.head, height, width));
  DEEPLAB_RETURN_IF_ERROR(annotate(graph::check_work(network.graph, limits), name_));
  return network;
}

/// Called with the lock.
void Model::keep(const std::shared_ptr<const plan::Plan>& plan) const {
  if (keep_count_ == 0) return;
  const auto found = std::find(kept_.begin(), kept_.end(), plan);
  if (found != kept_.end()) {
    std::rotate(kept_.begin(), found, found + 1);
    return;
  }
  if (kept_.size() == keep_count_) kept_.pop_back();
  kept_.insert(kept_.begin(), plan);  // keep_plans() has reserved the room
}

void Model::keep_plans(size_t count) const {
  std::vector<std::shared_ptr<const plan::Plan>> dropped;  // freed without the lock
  const std::lock_guard lock(cache_mutex_);
  kept_.reserve(count);
  keep_count_ = count;
  while (kept_.size() > count) {
    dropped.push_back(std::move(kept_.back()));
    kept_.pop_back();
  }
  // Plans that segmenters use now count as used last.
  for (const CachedPlan& entry : cache_) {
    if (const auto plan = entry.plan.lock()) keep(plan);
  }
}

}  // namespace deeplab::api
