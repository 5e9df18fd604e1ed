#include "api/segmenter.h"

#include <algorithm>

#include "api/vision_terms.h"
#include "base/stopwatch.h"

namespace deeplab::api {

// Whatever runs the network.
struct SegmenterSetup {
  int32_t width = 0;
  int32_t height = 0;
  int threads = 1;
  Isa isa = Isa::kScalar;
  graph::Limits limits;
  float temporal = 0;
};

namespace {

/// `quantize_cut`: see Network::input_quantize_cut.
Result<vision::PixelLut> make_input_lut(const graph::Tensor& input, bool quantize_cut,
                                        const vision::Normalization& normalization) {
  // A file that quantizes float pixels itself means its formula; one that takes 8-bit pixels
  // was trained on pixels.
  const auto rule =
      quantize_cut ? vision::QuantizeRule::kFormula : vision::QuantizeRule::kIdentityWhereClose;
  DEEPLAB_ASSIGN_OR_RETURN(
      vision::PixelLut lut,
      vision::make_lut(normalization, element_type(input.type), quantization(input), rule));
  lut.channels = input.shape[3];
  return lut;
}

/// The caller's limits. A plan needs no sum over all activations; weights may take a quarter of the
/// memory, as four bytes each.
Result<graph::Limits> make_limits(const SegmenterOptions& options) {
  if (options.max_memory_bytes < 1 || options.max_macs < 1) {
    return invalid_argument("limits of ", options.max_memory_bytes, " bytes and ", options.max_macs,
                            " multiply-accumulates; expected both above 0");
  }
  graph::Limits limits;
  limits.max_total_bytes = INT64_MAX;
  limits.max_plan_bytes = options.max_memory_bytes;
  limits.max_weights = options.max_memory_bytes / 16;
  limits.max_macs = options.max_macs;
  return limits;
}

Result<SegmenterSetup> make_setup(const Model& model, const SegmenterOptions& options) {
  if ((options.width == 0) != (options.height == 0)) {
    return invalid_argument("canvas ", options.width, "x", options.height,
                            ": give both sides or neither");
  }
  if (!(options.temporal >= 0 && options.temporal < 1)) {
    return invalid_argument("temporal is ", options.temporal, "; expected 0 or more, below 1");
  }
  SegmenterSetup setup;
  setup.temporal = options.temporal;
  setup.width = options.width == 0 ? model.input_width() : options.width;
  setup.height = options.height == 0 ? model.input_height() : options.height;
  DEEPLAB_RETURN_IF_ERROR(vision::validate_size(setup.width, setup.height, "canvas"));
  if (options.pool != nullptr) {
    setup.threads = options.pool->threads();
  } else {
    DEEPLAB_ASSIGN_OR_RETURN(setup.threads, ThreadPool::count_threads(options.threads));
  }
  setup.isa = options.isa.value_or(available_isas().back());
  DEEPLAB_ASSIGN_OR_RETURN(setup.limits, make_limits(options));
  return setup;
}

/// As floats: for scores(), and twice for a smoother.
int64_t score_bytes(const passes::LabelHead& head, float temporal) {
  const int64_t scores = int64_t{head.height} * head.width * head.classes;
  return scores * int64_t{sizeof(float)} * (temporal > 0 ? 3 : 1);
}

/// The engine's network.
Result<PlannedNetwork> make_plan(const Model& model, const SegmenterSetup& setup,
                                 int32_t output_stride) {
  DEEPLAB_ASSIGN_OR_RETURN(
      PlannedNetwork network,
      model.plan(setup.height, setup.width, setup.isa, setup.threads, setup.limits, output_stride));
  const plan::Plan& plan = *network.plan;
  const int64_t bytes = score_bytes(network.head, setup.temporal);
  if (bytes > setup.limits.max_plan_bytes - plan.required_bytes()) {
    return resource_exhausted(model.name(), ": ", bytes,
                              " bytes of scores as floats and the plan's ", plan.required_bytes(),
                              " bytes are more than the limit of ", setup.limits.max_plan_bytes);
  }
  return network;
}

/// TensorFlow Lite takes memory without asking, so that only what it needs at least can be refused.
[[maybe_unused]] Status check_lite_memory(const Model& model, const Network& network,
                                          const SegmenterSetup& setup) {
  const int64_t scores = score_bytes(network.head, setup.temporal);
  const int64_t least = least_bytes(network.graph);
  if (scores <= setup.limits.max_plan_bytes && least <= setup.limits.max_plan_bytes - scores) {
    return {};
  }
  return resource_exhausted(model.name(), ": ", scores, " bytes of scores as floats and the ",
                            least, " bytes that TensorFlow Lite takes at least are more than the ",
                            "limit of ", setup.limits.max_plan_bytes);
}

/// Without what only the engine, or only TensorFlow Lite, knows.
SegmenterFacts common_facts(const SegmenterSetup& setup, const passes::LabelHead& head) {
  SegmenterFacts facts;
  facts.canvas_width = setup.width;
  facts.canvas_height = setup.height;
  facts.scores_width = head.width;
  facts.scores_height = head.height;
  facts.classes = head.classes;
  facts.threads = setup.threads;
  facts.isa = setup.isa;
  facts.own_bytes = score_bytes(head, setup.temporal);
  return facts;
}

SegmenterFacts engine_facts(const SegmenterSetup& setup, const PlannedNetwork& network) {
  const plan::Plan& plan = *network.plan;
  SegmenterFacts facts = common_facts(setup, network.head);
  facts.macs = graph::macs(plan.graph());
  facts.shared_bytes = plan.packed_weight_bytes();
  facts.own_bytes += plan.arena_bytes();
  return facts;
}

constexpr int32_t kLabelRowsGrain = 16;

/// The stride of rows of floats, in elements.
Result<ptrdiff_t> element_stride(ptrdiff_t stride, int32_t width) {
  const auto element = static_cast<ptrdiff_t>(sizeof(float));
  if (stride % element == 0 && stride / element >= width) return stride / element;
  return invalid_argument("mask stride ", stride, " is not a multiple of ", element,
                          " bytes that holds ", width, " values");
}

}  // namespace

Status Segmenter::use_engine(const SegmenterSetup& setup,
                             const vision::Normalization& normalization, int32_t output_stride) {
  DEEPLAB_ASSIGN_OR_RETURN(const PlannedNetwork network, make_plan(*model_, setup, output_stride));
  model_->release_weights();
  DEEPLAB_RETURN_IF_ERROR(make_pool(setup.threads));
  DEEPLAB_ASSIGN_OR_RETURN(lut_, make_input_lut(network.plan->graph().tensor(network.input),
                                                network.input_quantize_cut, normalization));
  DEEPLAB_ASSIGN_OR_RETURN(auto executor, exec::PlannedExecutor::create(network.plan, pool_.get()));
  if (network.plan->input_is_pixels()) {
    executor->set_pixel_values({lut_.values.front().data(), sizeof lut_.values / sizeof(float)});
    lut_ = vision::pixels_themselves(lut_.channels);
  }
  auto runner = std::make_unique<EngineRunner>(std::move(executor), network.input, network.head);
  head_ = network.head;
  facts_ = engine_facts(setup, network);
  engine_ = runner.get();
  runner_ = std::move(runner);
  return {};
}

Status Segmenter::use_tflite(const SegmenterSetup& setup,
                             const vision::Normalization& normalization, int32_t output_stride,
                             const tflite_library::Options& options) {
  if constexpr (!tflite_library::kCanOpenLibraries) {  // Nothing of it gets into the program then.
    return unsupported("TensorFlow Lite cannot be opened here: WebAssembly opens no libraries");
  } else {
    DEEPLAB_ASSIGN_OR_RETURN(
        const Network network,
        model_->file_network(setup.height, setup.width, setup.limits, output_stride));
    DEEPLAB_RETURN_IF_ERROR(check_lite_memory(*model_, network, setup));
    DEEPLAB_RETURN_IF_ERROR(make_pool(setup.threads));
    DEEPLAB_ASSIGN_OR_RETURN(
        lut_, make_input_lut(network.graph.tensor(network.input), false, normalization));
    auto runner = LiteRunner::create(network.bytes, network, options, setup.threads);
    if (!runner.ok()) return annotate(runner.status(), model_->name());
    head_ = network.head;
    facts_ = common_facts(setup, network.head);
    facts_.macs = graph::macs(network.graph);
    facts_.delegation = (*runner)->delegation();
    lite_ = runner->get();
    runner_ = std::move(*runner);
    return {};
  }
}

Status Segmenter::make_pool(int threads) {
  if (pool_ != nullptr) return {};
  DEEPLAB_ASSIGN_OR_RETURN(pool_, ThreadPool::create(threads));
  return {};
}

Result<std::unique_ptr<Segmenter>> Segmenter::create(std::shared_ptr<const Model> model,
                                                     const SegmenterOptions& options) {
  const MemoryScope scope(options.allocator);
  std::unique_ptr<Segmenter> self(new Segmenter());
  DEEPLAB_ASSIGN_OR_RETURN(const SegmenterSetup setup, make_setup(*model, options));
  const vision::Normalization normalization =
      options.normalization.value_or(model->normalization());
  self->model_ = std::move(model);
  self->pool_ = options.pool;
  DEEPLAB_RETURN_IF_ERROR(
      options.tflite == nullptr
          ? self->use_engine(setup, normalization, options.output_stride)
          : self->use_tflite(setup, normalization, options.output_stride, *options.tflite));
  self->fit_ = options.fit;
  self->pad_limit_ = options.pad_limit;
  self->preparer_ = self->preparer();
  self->corners_ = corner_mode(self->head_);
  self->temporal_ = options.temporal;
  if (options.temporal > 0) {
    DEEPLAB_RETURN_IF_ERROR(self->smoother_.create(int64_t{self->head_.height} * self->head_.width *
                                                   self->head_.classes));
  }
  self->label_scratch_.resize(static_cast<size_t>(self->pool_->threads()));
  const auto bytes = static_cast<size_t>(score_bytes(self->head_, 0));
  self->float_scores_ = AlignedBuffer(bytes);
  if (self->float_scores_.data() == nullptr) {
    return resource_exhausted("no memory for ", bytes, " bytes of scores");
  }
  return self;
}

Result<SegmenterFacts> Segmenter::estimate(std::shared_ptr<const Model> model,
                                           const SegmenterOptions& options) {
  if (options.tflite != nullptr) {  // Only the library knows what it makes of the model.
    DEEPLAB_ASSIGN_OR_RETURN(const auto segmenter, create(std::move(model), options));
    return segmenter->facts();
  }
  const MemoryScope scope(options.allocator);
  DEEPLAB_ASSIGN_OR_RETURN(const SegmenterSetup setup, make_setup(*model, options));
  DEEPLAB_ASSIGN_OR_RETURN(const PlannedNetwork network,
                           make_plan(*model, setup, options.output_stride));
  return engine_facts(setup, network);
}

Result<vision::Placement> Segmenter::placement() const {
  if (!has_run_) return invalid_argument("no picture was run yet");
  return placement_;
}

template <typename Image>
Status Segmenter::run_image(const Image& image, const RunControl& control) {
  has_run_ = false;
  const Stopwatch watch;
  DEEPLAB_RETURN_IF_ERROR(preparer_->run(image, lut_, runner_->input().data()));
  timing_.prepare_ms = watch.milliseconds();
  return infer(preparer_->placement(), control);
}

Status Segmenter::run(const vision::ImageView& image, const RunControl& control) {
  return run_image(image, control);
}

Status Segmenter::run(const vision::PictureView& picture, const RunControl& control) {
  return run_image(picture, control);
}

vision::Preparer Segmenter::preparer() const {
  return vision::Preparer(fit_, canvas_width(), canvas_height(), pad_limit_, facts_.isa);
}

size_t Segmenter::input_bytes() const { return runner_->input().size(); }

Status Segmenter::run_prepared(std::span<const std::byte> input, const vision::Placement& placement,
                               const RunControl& control) {
  has_run_ = false;
  const std::span<std::byte> tensor = runner_->input();
  if (input.size() != tensor.size()) {
    return invalid_argument("an input of ", input.size(), " bytes; the network takes ",
                            tensor.size());
  }
  const Stopwatch watch;
  std::ranges::copy(input, tensor.begin());
  timing_.prepare_ms = watch.milliseconds();
  return infer(placement, control);
}

Status Segmenter::infer(const vision::Placement& placement, const RunControl& control) {
  const Stopwatch watch;
  timing_.infer_ms = 0;
  DEEPLAB_RETURN_IF_ERROR(runner_->run(control));
  score_view_ = runner_->scores();
  if (temporal_ > 0) {
    if (placement != placement_) smoother_.reset();
    score_view_ = smoother_.add(score_view_, temporal_);
  }
  timing_.infer_ms = watch.milliseconds();
  timing_.labels_ms = 0;
  placement_ = placement;
  has_run_ = true;
  return {};
}

void Segmenter::reset() { smoother_.reset(); }

Status Segmenter::configure_labels(int32_t width, int32_t height) {
  if (!has_run_) return invalid_argument("no picture was run yet");
  DEEPLAB_RETURN_IF_ERROR(vision::validate_size(width, height, "mask"));
  const vision::Placement placement = vision::redraw(placement_, width, height);
  DEEPLAB_RETURN_IF_ERROR(labels_.configure(score_view_, corners_, placement));
  for (vision::LabelScratch& scratch : label_scratch_) {
    DEEPLAB_RETURN_IF_ERROR(labels_.grow(scratch));
  }
  return {};
}

template <typename Body>
void Segmenter::for_label_rows(int32_t row_begin, int32_t row_end, const Body& body) {
  // A worker takes every n-th block, with a scratch of its own.
  const auto workers = static_cast<int32_t>(label_scratch_.size());
  pool_->parallel_for(label_scratch_.size(), 1, [&](size_t first, size_t last) {
    for (size_t worker = first; worker < last; ++worker) {
      for (int64_t begin = row_begin + static_cast<int64_t>(worker) * kLabelRowsGrain;
           begin < row_end; begin += int64_t{workers} * kLabelRowsGrain) {
        const auto end = std::min<int64_t>(begin + kLabelRowsGrain, row_end);
        body(static_cast<int32_t>(begin), static_cast<int32_t>(end), label_scratch_[worker]);
      }
    }
  });
}

Status Segmenter::category_mask(int32_t width, int32_t height, uint8_t* mask, ptrdiff_t stride) {
  const Stopwatch watch;
  if (mask == nullptr) return invalid_argument("the mask's memory is null");
  if (stride < width) {
    return invalid_argument("mask stride ", stride, " is less than its width ", width);
  }
  DEEPLAB_RETURN_IF_ERROR(configure_labels(width, height));
  for_label_rows(0, height, [&](int32_t begin, int32_t end, vision::LabelScratch& scratch) {
    labels_.label_rows(begin, end, mask, stride, scratch);
  });
  timing_.labels_ms = watch.milliseconds();
  return {};
}

Status Segmenter::confidence_mask(std::span<const int32_t> class_ids, int32_t width, int32_t height,
                                  int32_t y_begin, int32_t y_end, float* mask, ptrdiff_t stride) {
  if (mask == nullptr) return invalid_argument("the mask's memory is null");
  DEEPLAB_RETURN_IF_ERROR(vision::validate_size(width, height, "mask"));
  if (y_begin < 0 || y_begin >= y_end || y_end > height) {
    return invalid_argument("rows ", y_begin, " to ", y_end, " of a mask of ", height);
  }
  DEEPLAB_ASSIGN_OR_RETURN(const ptrdiff_t row, element_stride(stride, width));
  for (size_t i = 0; i < class_ids.size(); ++i) {
    const int32_t id = class_ids[i];
    if (id < 0 || id >= head_.classes) {
      return invalid_argument("class ", id, " is not in 0..", head_.classes - 1);
    }
    const auto before = class_ids.first(std::min(i, static_cast<size_t>(head_.classes)));
    if (std::ranges::find(before, id) != before.end()) {
      return invalid_argument("class ", id, " is named twice");
    }
  }
  DEEPLAB_RETURN_IF_ERROR(configure_labels(width, height));
  // The label head counts rows from the mask's first one, of which only these exist.
  float* first_row = mask - ptrdiff_t{y_begin} * row;
  for_label_rows(y_begin, y_end, [&](int32_t begin, int32_t end, vision::LabelScratch& scratch) {
    labels_.confidence_rows(class_ids, begin, end, first_row, row, scratch);
  });
  return {};
}

Status Segmenter::certainty_mask(int32_t width, int32_t height, float* mask, ptrdiff_t stride) {
  if (mask == nullptr) return invalid_argument("the mask's memory is null");
  DEEPLAB_ASSIGN_OR_RETURN(const ptrdiff_t row, element_stride(stride, width));
  DEEPLAB_RETURN_IF_ERROR(configure_labels(width, height));
  for_label_rows(0, height, [&](int32_t begin, int32_t end, vision::LabelScratch& scratch) {
    labels_.max_confidence_rows(begin, end, mask, row, scratch);
  });
  return {};
}

Status Segmenter::all_confidences(int32_t width, int32_t height, int32_t y_begin, int32_t y_end,
                                  float* out) {
  const auto stride = static_cast<ptrdiff_t>(sizeof(float)) * width;
  return all_confidences(width, height, y_begin, y_end, out, stride,
                         stride * (ptrdiff_t{y_end} - y_begin));
}

Status Segmenter::all_confidences(int32_t width, int32_t height, int32_t y_begin, int32_t y_end,
                                  float* out, ptrdiff_t stride, ptrdiff_t class_stride) {
  if (out == nullptr) return invalid_argument("the masks' memory is null");
  if (y_begin < 0 || y_begin >= y_end || y_end > height) {
    return invalid_argument("rows ", y_begin, " to ", y_end, " of a mask of ", height);
  }
  DEEPLAB_ASSIGN_OR_RETURN(ptrdiff_t row, element_stride(stride, width));
  // Planes of rows, or rows of planes: the shorter of the two strides has to hold what it strides.
  const auto element = static_cast<ptrdiff_t>(sizeof(float));
  const ptrdiff_t plane = class_stride / element;
  const ptrdiff_t rows = ptrdiff_t{y_end} - y_begin;
  const bool planes_of_rows = plane / rows >= row;
  const bool rows_of_planes = plane >= width && row / head_.classes >= plane;
  if (class_stride % element != 0 || !(planes_of_rows || rows_of_planes)) {
    return invalid_argument("class stride ", class_stride, " and stride ", stride,
                            " make masks of ", width, "x", rows, " overlap");
  }
  DEEPLAB_RETURN_IF_ERROR(configure_labels(width, height));
  if (rows == 1) row = width;  // a stride that nothing is apart by may be any number
  // The label head counts rows from the mask's first one, of which only these exist.
  float* first_row = out - ptrdiff_t{y_begin} * row;
  for_label_rows(y_begin, y_end, [&](int32_t begin, int32_t end, vision::LabelScratch& scratch) {
    labels_.all_confidence_rows(begin, end, first_row, row, plane, scratch);
  });
  return {};
}

Result<std::span<const float>> Segmenter::scores() {
  if (!has_run_) return invalid_argument("no picture was run yet");
  const std::span<float> scores(reinterpret_cast<float*>(float_scores_.data()),
                                float_scores_.size() / sizeof(float));
  vision::to_floats(score_view_, scores);
  return std::span<const float>(scores);
}

}  // namespace deeplab::api
