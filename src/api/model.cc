#include "api/model.h"

#include <algorithm>

#include "api/vision_terms.h"
#include "base/file.h"
#include "passes/fold_input_quantize.h"
#include "passes/output_stride.h"
#include "passes/pipeline.h"
#include "vision/palette.h"

namespace deeplab::api {
namespace {

constexpr int64_t kMaxModelBytes = int64_t{1} << 31;

/// What reading needs; the rest is a segmenter's business, and its caller may raise it.
graph::Limits reading_limits() {
  graph::Limits limits;
  limits.max_total_bytes = limits.max_plan_bytes = limits.max_macs = INT64_MAX;
  limits.max_weights = int64_t{1} << 28;  // Reading is quicker than packing.
  return limits;
}

/// The file's graph made ready to be planned.
Result<Network> make_network(graph::Graph graph) {
  Network network;
  DEEPLAB_RETURN_IF_ERROR(passes::optimize(graph));
  DEEPLAB_ASSIGN_OR_RETURN(network.head, passes::cut_label_head(graph));
  network.input_quantize_cut = passes::fold_input_quantize(graph).has_value();
  network.input = graph.inputs.front();
  network.graph = std::move(graph);
  return network;
}

std::vector<std::string> make_labels(const std::vector<std::string>& from_file, int32_t classes) {
  std::vector<std::string> labels = from_file;
  // A file without labels, or with a list that stops short, still names every class.
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

Result<std::shared_ptr<const Model>> Model::load(const std::string& path) {
  DEEPLAB_ASSIGN_OR_RETURN(std::vector<std::byte> bytes, read_file(path, kMaxModelBytes));
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return make(tflite::read_model_in_place(owner, *owner, path, reading_limits()), path);
}

Result<std::shared_ptr<const Model>> Model::parse(std::span<const std::byte> bytes,
                                                  const std::string& name) {
  return make(tflite::read_model(bytes, name, reading_limits()), name);
}

Result<std::shared_ptr<const Model>> Model::parse_static(std::span<const std::byte> bytes,
                                                         const std::string& name) {
  return make(tflite::read_model_in_place(nullptr, bytes, name, reading_limits()), name);
}

Result<std::shared_ptr<const Model>> Model::make(Result<tflite::ModelFile> file,
                                                 const std::string& name) {
  if (!file.ok()) return file.status();
  std::shared_ptr<Model> model(new Model());
  model->name_ = name;
  model->file_ = std::move(*file);
  DEEPLAB_RETURN_IF_ERROR(annotate(model->understand(), name));
  return std::shared_ptr<const Model>(std::move(model));
}

Status Model::understand() {
  DEEPLAB_RETURN_IF_ERROR(check_picture_input(file_.graph));
  const graph::Shape& input = file_.graph.tensor(file_.graph.inputs.front()).shape;
  input_height_ = input[1];
  input_width_ = input[2];
  DEEPLAB_ASSIGN_OR_RETURN(network_, make_network(file_.graph));
  labels_ = make_labels(file_.metadata.labels, network_.head.classes);
  if (const auto& given = file_.metadata.normalization) {
    auto normalization = vision::make_normalization(given->mean, given->stddev);
    if (!normalization.ok()) return annotate(normalization.status(), "metadata");
    normalization_ = *normalization;
  }
  return {};
}

Result<PlannedNetwork> Model::plan(int32_t height, int32_t width, Isa isa, int threads,
                                   const graph::Limits& limits, int32_t output_stride) const {
  PlannedNetwork planned;
  planned.canvas_height = height;
  planned.canvas_width = width;
  planned.input = network_.input;
  planned.input_quantize_cut = network_.input_quantize_cut;

  const std::lock_guard lock(cache_mutex_);
  std::erase_if(cache_, [](const CachedPlan& entry) { return entry.plan.expired(); });
  for (const CachedPlan& entry : cache_) {
    const bool same = entry.height == height && entry.width == width && entry.isa == isa &&
                      entry.threads == threads && entry.limits == limits &&
                      entry.output_stride == output_stride;
    if (!same) continue;
    planned.plan = entry.plan.lock();
    planned.head = entry.head;
    if (planned.plan) return planned;
  }
  Network network = network_;
  const bool resized = height != input_height_ || width != input_width_;
  if (resized || output_stride != 0) {
    graph::Graph graph = file_.graph;
    if (resized) {
      DEEPLAB_RETURN_IF_ERROR(annotate(graph::resize_input(graph, height, width, limits), name_));
    }
    if (output_stride != 0) {
      DEEPLAB_RETURN_IF_ERROR(
          annotate(passes::set_output_stride(graph, output_stride, limits), name_));
    }
    DEEPLAB_ASSIGN_OR_RETURN(network, make_network(std::move(graph)));
  }
  plan::PlanOptions options;
  options.isa = isa;
  options.threads = threads;
  options.limits = limits;
  auto plan = plan::Plan::build(std::move(network.graph), options);
  if (!plan.ok()) return annotate(plan.status(), name_);
  planned.plan = *plan;
  planned.head = network.head;
  cache_.push_back({height, width, isa, threads, limits, output_stride, *plan, network.head});
  return planned;
}

}  // namespace deeplab::api
