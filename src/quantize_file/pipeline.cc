#include "quantize_file/pipeline.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>

#include "api/segmenter.h"
#include "api/vision_terms.h"
#include "base/file.h"
#include "base/parallel.h"
#include "deeplab/deeplab.h"
#include "passes/label_head.h"
#include "passes/output_stride.h"
#include "quantize/correct_bias.h"
#include "quantize/equalize.h"
#include "quantize/prepare_float.h"
#include "quantize_file/sha256.h"
#include "tflite/reader.h"
#include "tflite/writer.h"

namespace deeplab::quantize {
namespace {

/// Photos whose activations bias correction keeps in memory, a few megabytes each at 513x513.
constexpr size_t kBiasPhotos = 32;
/// Photos that the drop per op and the agreement of label maps are measured on.
constexpr size_t kDropPhotos = 8;

/// One run, step by step.
class Quantization {
 public:
  Quantization(const QuantizeSetup& setup, const StartProgress& start_progress)
      : setup_(setup), options_(setup.graph), start_progress_(start_progress) {}

  Result<QuantizeResult> run() {
    DEEPLAB_RETURN_IF_ERROR(load_model());
    DEEPLAB_RETURN_IF_ERROR(load_photos());
    DEEPLAB_RETURN_IF_ERROR(start_engine());
    DEEPLAB_RETURN_IF_ERROR(annotate(equalize_weights(), setup_.model));
    DEEPLAB_RETURN_IF_ERROR(annotate(make_int8(), setup_.model));
    DEEPLAB_RETURN_IF_ERROR(write());
    list_ops();
    DEEPLAB_RETURN_IF_ERROR(compare_labels());
    return std::move(result_);
  }

 private:
  Status load_model() {
    DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes,
                             read_file(setup_.model, tflite::kMaxFileBytes));
    sha256_ = sha256_hex(bytes);
    DEEPLAB_ASSIGN_OR_RETURN(file_, tflite::read_model(bytes, setup_.model));
    float_ = file_.graph;
    DEEPLAB_RETURN_IF_ERROR(annotate(graph::make_batch_one(float_), setup_.model));
    DEEPLAB_RETURN_IF_ERROR(annotate(select_output(), setup_.model));
    if (setup_.output_stride != 0) {
      DEEPLAB_RETURN_IF_ERROR(
          annotate(passes::set_output_stride(float_, setup_.output_stride), setup_.model));
    }
    DEEPLAB_RETURN_IF_ERROR(annotate(prepare_float_graph(float_), setup_.model));
    DEEPLAB_ASSIGN_OR_RETURN(result_.float_model,
                             api::Model::parse(bytes, setup_.model, setup_.model_options));
    const vision::Normalization& n = result_.float_model->normalization();
    const auto uniform = [](const std::array<float, 3>& v) { return v[0] == v[1] && v[1] == v[2]; };
    options_.pixels.reset();
    if (uniform(n.mean) && uniform(n.std)) options_.pixels = {n.mean[0], n.std[0]};
    return make_metadata();
  }

  /// The one that a segmenter takes.
  Status select_output() {
    DEEPLAB_RETURN_IF_ERROR(api::select_output(float_, setup_.model_options.output));
    if (float_.outputs.size() == 1) return {};
    graph::Graph cut = float_;
    DEEPLAB_ASSIGN_OR_RETURN(const passes::LabelHead head, passes::cut_label_head(cut));
    float_.outputs = {head.output};
    return {};
  }

  Status load_photos() {
    DEEPLAB_ASSIGN_OR_RETURN(photos::PhotoList found,
                             find_calibration_photos(setup_.calibration, setup_.photos));
    const api::Model& model = *result_.float_model;
    photos_ =
        std::make_unique<CalibrationPhotos>(setup_.fit, model.input_width(), model.input_height(),
                                            model.normalization(), setup_.decode);
    for (const photos::Photo& photo : found.photos) {
      const Result<std::string> warning = photos_->add(photo);
      if (!warning.ok()) {
        result_.errors.push_back(warning.status());
      } else if (!warning->empty()) {
        result_.warnings.push_back({photo, *warning});
      }
    }
    result_.passed_over = std::move(found.passed_over);
    result_.photos = static_cast<int64_t>(photos_->size());
    if (result_.photos > 0) return {};
    return result_.errors.empty() ? invalid_argument("no photo to calibrate on")
                                  : result_.errors.front();
  }

  Status start_engine() {
    DEEPLAB_ASSIGN_OR_RETURN(engine_.isa, selected_isa());
    DEEPLAB_ASSIGN_OR_RETURN(pool_, ThreadPool::create(setup_.threads));
    engine_.pool = pool_.get();
    return {};
  }

  Result<Statistics> collect(const std::vector<graph::TensorId>& ids, size_t photos) {
    Samples samples = photos_->samples(photos);
    std::function<void()> advance;
    if (start_progress_) advance = start_progress_(samples.count);
    const auto load = samples.load;
    samples.load = [&](size_t i, std::span<float> input) {
      if (advance) advance();
      return load(i, input);
    };
    return collect_statistics(float_, ids, samples, engine_);
  }

  Status equalize_weights() {
    for (const graph::Op& op : float_.ops) {
      spread_before_.push_back(weight_spread(float_, op));
    }
    if (!setup_.equalize) return {};
    DEEPLAB_ASSIGN_OR_RETURN(const Statistics statistics,
                             collect(range_sources(float_), photos_->size()));
    EqualizeOptions options;
    options.granularity = options_.granularity;
    result_.equalized_channels = equalize(float_, statistics, options);
    return {};
  }

  Status make_int8() {
    DEEPLAB_ASSIGN_OR_RETURN(const Statistics statistics,
                             collect(range_sources(float_), photos_->size()));
    ActivationRanges ranges = choose_ranges(float_, statistics, setup_.ranges);
    const vision::Normalization& n = result_.float_model->normalization();
    Range& input = ranges[static_cast<size_t>(float_.inputs.front())];
    for (size_t c = 0; c < 3; ++c) {
      input.include({-n.mean[c] / n.std[c], (255 - n.mean[c]) / n.std[c]});
    }
    DEEPLAB_ASSIGN_OR_RETURN(int8_, quantize_graph(float_, ranges, options_));
    DEEPLAB_ASSIGN_OR_RETURN(drops_, drops_of(int8_));
    return setup_.bias_correction ? correct() : Status();
  }

  /// Means that are right layer by layer need not make a better network: the noise that is left
  /// may have been what a shift made up for. So the photos decide whether the correction stays.
  Status correct() {
    graph::Graph corrected = int8_;
    DEEPLAB_ASSIGN_OR_RETURN(const Statistics means, collect(mean_sources(float_), kBiasPhotos));
    DEEPLAB_RETURN_IF_ERROR(correct_biases(corrected, float_, means, photos_->samples(kBiasPhotos),
                                           engine_, input_shift(options_)));
    DEEPLAB_ASSIGN_OR_RETURN(std::vector<OpDrop> drops, drops_of(corrected));
    result_.sqnr_uncorrected_db = drops_.empty() ? 0 : drops_.back().sqnr_db;
    result_.sqnr_corrected_db = drops.empty() ? 0 : drops.back().sqnr_db;
    result_.bias_correction = result_.sqnr_corrected_db >= result_.sqnr_uncorrected_db;
    if (!result_.bias_correction) return {};
    int8_ = std::move(corrected);
    drops_ = std::move(drops);
    return {};
  }

  Result<std::vector<OpDrop>> drops_of(const graph::Graph& int8) {
    return measure_drop(float_, int8, photos_->samples(kDropPhotos), engine_,
                        input_shift(options_));
  }

  std::string provenance() const {
    std::string method(method_name(setup_.ranges.method));
    if (setup_.ranges.method == CalibrationMethod::kPercentile) {
      char text[32];  // the shortest that reads back as the same number
      const auto end = std::to_chars(text, std::end(text), setup_.ranges.percentile).ptr;
      method += ' ';
      method.append(text, end);
    }
    const auto on = [](bool value) { return value ? "on" : "off"; };
    return str_cat("Quantized by deeplab.cpp ", deeplab_version(), " from ",
                   std::filesystem::path(setup_.model).filename().string(), " (SHA-256 ", sha256_,
                   "): int8 weights ", granularity_name(options_.granularity), ", ",
                   border_name(options_.border), " border, ", output_name(options_.output),
                   " out; calibrated by ", method, " on ", result_.photos,
                   result_.photos == 1 ? " photo" : " photos",
                   " (fit: ", vision::fit_name(setup_.fit), "); equalization ", on(setup_.equalize),
                   ", bias correction ", on(result_.bias_correction), ".");
  }

  Status make_metadata() {
    tflite::Metadata& metadata = file_.metadata;
    const auto set = [](const std::string& given, std::string& field) {
      if (!given.empty()) field = given;
    };
    set(setup_.name, metadata.name);
    set(setup_.license, metadata.license);
    set(setup_.author, metadata.author);
    set(setup_.description, metadata.description);
    choose_labels();
    return {};
  }

  /// Without any, a network of 21 classes gets VOC's names: they are what every program assumes.
  void choose_labels() {
    constexpr int32_t kVocClasses = 21;
    const api::Model& model = *result_.float_model;
    std::vector<std::string>& labels = file_.metadata.labels;
    const bool none = labels.empty() && model.class_count() == kVocClasses;
    if (setup_.model_options.labels || none) labels = model.labels();
  }

  Status write() {
    tflite::ModelFile out;
    out.graph = int8_;
    out.metadata = file_.metadata;
    const std::string made = provenance();
    std::string& description = out.metadata.description;
    description += description.empty() ? made : "\n" + made;
    if (const auto pixels = input_pixels(options_)) {
      out.metadata.normalization = {{pixels->mean}, {pixels->std}};
    } else {
      const vision::Normalization& n = result_.float_model->normalization();
      out.metadata.normalization = {{n.mean.begin(), n.mean.end()}, {n.std.begin(), n.std.end()}};
    }
    out.description = str_cat("Quantized by deeplab.cpp ", deeplab_version());
    DEEPLAB_ASSIGN_OR_RETURN(result_.bytes, tflite::write_model(out));
    DEEPLAB_ASSIGN_OR_RETURN(result_.int8_model,
                             api::Model::parse(result_.bytes, "the quantized model"));
    return {};
  }

  void list_ops() {
    for (const OpDrop& drop : drops_) {
      QuantizedOp op;
      op.drop = drop;
      op.quantization = int8_.tensor(drop.tensor).quantization;
      const auto position = static_cast<size_t>(float_.producer(drop.tensor));
      op.spread_before = spread_before_[position];
      op.spread_after = weight_spread(float_, float_.ops[position]);
      result_.ops.push_back(std::move(op));
    }
  }

  Status compare_labels() {
    api::SegmenterOptions options;
    options.isa = engine_.isa;
    options.threads = setup_.threads;
    options.fit = setup_.fit;
    api::SegmenterOptions float_options = options;
    float_options.output_stride = setup_.output_stride;
    DEEPLAB_ASSIGN_OR_RETURN(const auto exact,
                             api::Segmenter::create(result_.float_model, float_options));
    DEEPLAB_ASSIGN_OR_RETURN(const auto rounded,
                             api::Segmenter::create(result_.int8_model, options));
    result_.least_agreement = 1;
    const std::vector<photos::Photo> photos = spread(photos_->photos(), kDropPhotos);
    for (const photos::Photo& photo : photos) {
      DEEPLAB_ASSIGN_OR_RETURN(
          const photos::DecodedPhoto decoded,
          photos::decode_photo(photo, setup_.fit, exact->canvas_width(), exact->canvas_height()));
      const vision::ImageView view = photos::view_of(decoded.small);
      std::vector<uint8_t> masks[2];
      size_t side = 0;
      for (api::Segmenter* segmenter : {exact.get(), rounded.get()}) {
        std::vector<uint8_t>& mask = masks[side++];
        mask.resize(static_cast<size_t>(view.width) * static_cast<size_t>(view.height));
        DEEPLAB_RETURN_IF_ERROR(segmenter->run(view));
        DEEPLAB_RETURN_IF_ERROR(
            segmenter->category_mask(view.width, view.height, mask.data(), view.width));
      }
      size_t equal = 0;
      for (size_t i = 0; i < masks[0].size(); ++i) equal += masks[0][i] == masks[1][i];
      const double share = static_cast<double>(equal) / static_cast<double>(masks[0].size());
      result_.mean_agreement += share / static_cast<double>(photos.size());
      result_.least_agreement = std::min(result_.least_agreement, share);
      ++result_.compared_photos;
    }
    return {};
  }

  const QuantizeSetup& setup_;
  QuantizeOptions options_;
  const StartProgress& start_progress_;
  std::string sha256_;
  tflite::ModelFile file_;
  graph::Graph float_;  ///< Prepared, later equalized.
  graph::Graph int8_;
  std::vector<OpDrop> drops_;          ///< Of int8_.
  std::vector<double> spread_before_;  ///< By position in float_.ops.
  std::unique_ptr<CalibrationPhotos> photos_;
  std::unique_ptr<ThreadPool> pool_;
  Engine engine_;
  QuantizeResult result_;
};

}  // namespace

Result<QuantizeResult> quantize_model(const QuantizeSetup& setup,
                                      const StartProgress& start_progress) {
  return Quantization(setup, start_progress).run();
}

std::string_view granularity_name(Granularity granularity) {
  return granularity == Granularity::kPerChannel ? "per-channel" : "per-tensor";
}

std::string_view border_name(Border border) {
  switch (border) {
    case Border::kInt8:
      return "int8";
    case Border::kUInt8:
      return "uint8";
    case Border::kFloat32:
      break;
  }
  return "float32";
}

std::string_view output_name(Output output) {
  return output == Output::kScores ? "scores" : "labels";
}

std::string_view method_name(CalibrationMethod method) {
  switch (method) {
    case CalibrationMethod::kPercentile:
      return "percentile";
    case CalibrationMethod::kMse:
      return "mse";
    case CalibrationMethod::kMinMax:
      break;
  }
  return "minmax";
}

}  // namespace deeplab::quantize
