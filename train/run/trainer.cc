#include "train/run/trainer.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "base/file.h"
#include "base/isa.h"
#include "base/ordered_work.h"
#include "quantize/dequantize_graph.h"
#include "quantize/quantize_graph.h"
#include "quantize/statistics.h"
#include "tflite/reader.h"

namespace deeplab::train {
namespace {

using torch::Tensor;

constexpr int64_t kMostCheckpointBytes = int64_t{4} << 30;

/// Pixels as the network sees them: value / 127.5 - 1.
void normalize(const uint8_t* pixels, size_t count, float* values) {
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(pixels[i]) / 127.5f - 1.0f;
}

quantize::QuantizeOptions int8_options() {
  quantize::QuantizeOptions options;
  options.border = quantize::Border::kFloat32;
  options.output = quantize::Output::kScores;
  return options;
}

}  // namespace

Result<std::unique_ptr<Trainer>> Trainer::create(const TrainOptions& options, int threads,
                                                 ProcessGroup* group) {
  std::unique_ptr<Trainer> self(new Trainer());
  self->options_ = options;
  self->threads_ = std::max(1, threads);
  self->group_ = group;
  self->options_.data.rank = group->rank();
  self->options_.data.world = group->world();
  self->options_.data.class_count = options.network.classes;
  DEEPLAB_RETURN_IF_ERROR(self->make_network());
  if (!options.teachers.empty()) {
    const AugmentOptions& augment = options.data.augment;
    DEEPLAB_ASSIGN_OR_RETURN(
        self->teachers_,
        Teacher::create({options.teachers, options.teacher_flip, augment.crop_height,
                         augment.crop_width, options.network.classes},
                        self->threads_));
  }
  self->make_optimizer();
  return self;
}

Status Trainer::make_network() {
  DEEPLAB_ASSIGN_OR_RETURN(graph::Graph graph, build_network(options_.network, options_.data.seed));
  if (!options_.init.empty()) {
    DEEPLAB_ASSIGN_OR_RETURN(const auto bytes, read_file(options_.init, tflite::kMaxFileBytes));
    DEEPLAB_ASSIGN_OR_RETURN(const tflite::ModelFile file,
                             tflite::read_model(bytes, options_.init));
    const auto source = quantize::dequantize_graph(file.graph);
    if (!source.ok()) return annotate(source.status(), options_.init);
    auto left = copy_weights(*source, graph);
    if (!left.ok()) return annotate(left.status(), options_.init);
    fresh_ = std::move(*left);
  }
  const AugmentOptions& augment = options_.data.augment;
  DEEPLAB_ASSIGN_OR_RETURN(network_, GraphNetwork::create(graph, augment.crop_height,
                                                          augment.crop_width, options_.batch_norm));
  network_->mark_fresh(fresh_);
  if (options_.freeze_backbone) network_->freeze_before(network_->backbone_end());
  for (const Tensor& value : network_->values()) {
    averages_.push_back(value.clone());
    if (options_.blend < 1) start_.push_back(value.clone());
  }
  return options_.quantize_photos > 0 ? calibrate() : Status();
}

Status Trainer::calibrate() {
  // The first samples of a run with another seed, without any variation but the crop.
  LoaderOptions data = options_.data;
  data.batch = 1;
  data.rank = 0;
  data.world = 1;
  data.first_step = 0;
  data.seed += 0x5eed;
  data.augment.scale_min = data.augment.scale_max = 1;
  data.augment.brightness = data.augment.contrast = data.augment.saturation = 0;
  data.augment.hue = data.augment.jpeg_noise = 0;
  DEEPLAB_ASSIGN_OR_RETURN(const auto loader, Loader::create(data));
  std::vector<std::vector<uint8_t>> photos;
  for (int32_t i = 0; i < options_.quantize_photos; ++i) {
    DEEPLAB_ASSIGN_OR_RETURN(Batch batch, loader->next());
    photos.push_back(std::move(batch.pixels));
  }
  quantize::Samples samples;
  samples.count = photos.size();
  samples.load = [&](size_t i, std::span<float> input) {
    normalize(photos[i].data(), photos[i].size(), input.data());
    return Status();
  };
  graph::Graph graph = network_->export_graph(network_->values());
  DEEPLAB_RETURN_IF_ERROR(
      graph::resize_input(graph, data.augment.crop_height, data.augment.crop_width));
  DEEPLAB_ASSIGN_OR_RETURN(const auto pool, ThreadPool::create(threads_));
  DEEPLAB_ASSIGN_OR_RETURN(const Isa isa, selected_isa());
  DEEPLAB_ASSIGN_OR_RETURN(const auto statistics,
                           quantize::collect_statistics(graph, quantize::range_sources(graph),
                                                        samples, {pool.get(), isa}));
  quantize::RangeOptions how;
  how.method = quantize::CalibrationMethod::kMinMax;  // as `deeplab quantize` has found best
  return set_ranges(quantize::choose_ranges(graph, statistics, how));
}

Status Trainer::set_ranges(const quantize::ActivationRanges& ranges) {
  ranges_ = ranges;
  DEEPLAB_ASSIGN_OR_RETURN(const graph::Graph quantized, int8_graph());
  const size_t count = network_->export_graph(network_->values()).tensors.size();
  network_->set_fake_quantization(fake_quantization(quantized, count));
  return {};
}

void Trainer::make_optimizer() {
  std::vector<torch::optim::OptimizerParamGroup> groups;
  for (const bool decays : {true, false}) {
    for (const bool fresh : {false, true}) {
      std::vector<Tensor> members;
      for (const Parameter& parameter : network_->parameters()) {
        if (parameter.decays == decays && parameter.fresh == fresh &&
            parameter.value.requires_grad()) {
          members.push_back(parameter.value);
          trained_.push_back(parameter.value);
        }
      }
      const double decay = decays ? options_.weight_decay : 0;
      if (options_.optimizer == Optimizer::kSgd) {
        groups.emplace_back(members, std::make_unique<torch::optim::SGDOptions>(
                                         torch::optim::SGDOptions(options_.learning_rate)
                                             .momentum(options_.momentum)
                                             .weight_decay(decay)));
      } else {
        groups.emplace_back(members, std::make_unique<torch::optim::AdamWOptions>(
                                         torch::optim::AdamWOptions(options_.learning_rate)
                                             .betas({options_.momentum, 0.999})
                                             .weight_decay(decay)));
      }
    }
  }
  if (options_.optimizer == Optimizer::kSgd) {
    optimizer_ = std::make_unique<torch::optim::SGD>(
        groups, torch::optim::SGDOptions(options_.learning_rate));
  } else {
    optimizer_ = std::make_unique<torch::optim::AdamW>(
        groups, torch::optim::AdamWOptions(options_.learning_rate));
  }
}

double Trainer::rate_at(int64_t step) const {
  const double part = static_cast<double>(step) / static_cast<double>(options_.steps);
  double rate = options_.learning_rate * std::pow(std::max(0.0, 1 - part), options_.power);
  if (step < options_.warmup) {
    rate *= static_cast<double>(step + 1) / static_cast<double>(options_.warmup);
  }
  return rate;
}

LossTargets Trainer::targets_of(const Batch& batch, int64_t first) const {
  LossTargets targets;
  targets.height = batch.height;
  targets.width = batch.width;
  targets.labels = batch.labels.data() + first * batch.height * batch.width;
  targets.content_heights = batch.content_height.data() + first;
  targets.content_widths = batch.content_width.data() + first;
  return targets;
}

Result<LossCounts> Trainer::global_counts(const Batch& batch) const {
  LossCounts counts = count_pixels(targets_of(batch, 0), batch.count, options_.loss);
  DEEPLAB_ASSIGN_OR_RETURN(counts.labelled, group_->sum(counts.labelled));
  DEEPLAB_ASSIGN_OR_RETURN(counts.taught, group_->sum(counts.taught));
  return counts;
}

Status Trainer::run_share(const Batch& batch, const LossCounts& counts, size_t thread,
                          Share& share) {
  const auto picture = static_cast<size_t>(batch.height) * static_cast<size_t>(batch.width) * 3;
  const uint8_t* pixels = batch.pixels.data() + static_cast<size_t>(share.first) * picture;
  LossTargets targets = targets_of(batch, share.first);
  if (!teachers_.empty() && options_.loss.teacher_weight > 0) {
    DEEPLAB_ASSIGN_OR_RETURN(targets.teacher, teachers_[thread].scores(pixels, share.count));
  }
  Tensor images = torch::empty({share.count, batch.height, batch.width, 3});
  normalize(pixels, static_cast<size_t>(share.count) * picture, images.data_ptr<float>());
  const Tensor scores = network_->forward(images, true, &share.statistics);
  const Loss loss =
      segmentation_loss(scores, targets, network_->align_corners(), counts, options_.loss);
  share.gradients = torch::autograd::grad({loss.total}, trained_, {}, c10::nullopt, false, true);
  share.masks = loss.masks;
  share.teacher = loss.teacher;
  share.total = loss.total.item<double>();
  return {};
}

Status Trainer::add_up(std::vector<Share>& shares, StepReport& report) {
  std::vector<Tensor> sums;
  for (const Tensor& parameter : trained_) sums.push_back(torch::zeros_like(parameter));
  // In the order of the photos, so that threads make no difference.
  for (const Share& share : shares) {
    for (size_t i = 0; i < sums.size(); ++i) {
      if (share.gradients[i].defined()) sums[i] += share.gradients[i];
    }
    report.masks += share.masks;
    report.teacher += share.teacher;
    report.loss += share.total;
  }
  Tensor losses = torch::tensor({report.loss, report.masks, report.teacher}, torch::kDouble);
  std::vector<Tensor> loss_list = {losses};
  DEEPLAB_RETURN_IF_ERROR(group_->sum(sums));
  DEEPLAB_RETURN_IF_ERROR(group_->sum(loss_list));
  report.loss = loss_list[0][0].item<double>();
  report.masks = loss_list[0][1].item<double>();
  report.teacher = loss_list[0][2].item<double>();
  for (size_t i = 0; i < sums.size(); ++i) trained_[i].mutable_grad() = sums[i];
  return {};
}

void Trainer::clip_gradients() {
  if (options_.clip <= 0) return;
  double square = 0;
  for (const Tensor& parameter : trained_) {
    square += parameter.grad().square().sum(torch::kDouble).item<double>();
  }
  const double norm = std::sqrt(square);
  if (norm <= options_.clip) return;
  for (Tensor& parameter : trained_) parameter.mutable_grad().mul_(options_.clip / norm);
}

void Trainer::average_weights() {
  torch::NoGradGuard no_grad;
  // Early averages forget their random start faster.
  const double steps = static_cast<double>(done_);
  const double decay = std::min(options_.average, (1 + steps) / (10 + steps));
  const auto& parameters = network_->parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    averages_[i].mul_(decay).add_(parameters[i].value.detach(), 1 - decay);
  }
}

Result<StepReport> Trainer::step() {
  if (!loader_) {
    options_.data.first_step = done_;
    DEEPLAB_ASSIGN_OR_RETURN(loader_, Loader::create(options_.data));
  }
  DEEPLAB_ASSIGN_OR_RETURN(Batch batch, loader_->next());
  DEEPLAB_ASSIGN_OR_RETURN(const LossCounts counts, global_counts(batch));
  std::vector<Share> shares;
  for (int64_t first = 0; first < batch.count; first += options_.micro_batch) {
    Share share;
    share.first = first;
    share.count = std::min<int64_t>(options_.micro_batch, batch.count - first);
    shares.push_back(std::move(share));
  }
  OrderedWorkOptions work;
  work.workers = threads_;
  const Status worked = work_on_each(shares.size(), work, [&](int thread, size_t i) {
    at::set_num_threads(1);
    return run_share(batch, counts, static_cast<size_t>(thread), shares[i]);
  });
  if (!worked.ok()) return annotate(worked, str_cat("step ", done_ + 1));
  StepReport report;
  DEEPLAB_RETURN_IF_ERROR(add_up(shares, report));
  loader_->recycle(std::move(batch));
  if (!std::isfinite(report.loss)) {
    return invalid_argument("step ", done_ + 1, ": the loss is ", report.loss,
                            "; a lower learning rate may help");
  }
  report.learning_rate = rate_at(done_);
  for (size_t i = 0; i < optimizer_->param_groups().size(); ++i) {
    const bool fresh = i % 2 == 1;  // as make_optimizer() orders them
    optimizer_->param_groups()[i].options().set_lr(report.learning_rate *
                                                   (fresh ? options_.fresh_factor : 1));
  }
  clip_gradients();
  optimizer_->step();
  std::vector<BatchStatistics> statistics;
  for (Share& share : shares) statistics.push_back(std::move(share.statistics));
  network_->update_running(statistics, 0.1);
  DEEPLAB_RETURN_IF_ERROR(group_->average(network_->buffers()));
  report.step = ++done_;
  average_weights();
  return report;
}

std::vector<Tensor> Trainer::exported_values() const {
  std::vector<Tensor> values = options_.average > 0 ? averages_ : network_->values();
  torch::NoGradGuard no_grad;
  for (size_t i = 0; i < start_.size(); ++i) {
    // A layer that started at random has no start worth keeping.
    if (!network_->parameters()[i].fresh)
      values[i] = at::lerp(start_[i], values[i], options_.blend);
  }
  return values;
}

graph::Graph Trainer::float_graph() const { return network_->export_graph(exported_values()); }

Result<graph::Graph> Trainer::int8_graph() const {
  return quantize::quantize_graph(float_graph(), ranges_, int8_options());
}

Status Trainer::save(const std::string& path) const {
  try {
    torch::serialize::OutputArchive archive;
    archive.write("step", torch::tensor(done_));
    const auto& parameters = network_->parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      archive.write("parameter " + std::to_string(i), parameters[i].value.detach());
      archive.write("average " + std::to_string(i), averages_[i]);
    }
    auto& buffers = const_cast<GraphNetwork&>(*network_).buffers();
    for (size_t i = 0; i < buffers.size(); ++i) {
      archive.write("buffer " + std::to_string(i), buffers[i], true);
    }
    Tensor ranges = torch::zeros({static_cast<int64_t>(ranges_.size()), 2});
    for (size_t i = 0; i < ranges_.size(); ++i) {
      ranges[static_cast<int64_t>(i)][0] = ranges_[i].min;
      ranges[static_cast<int64_t>(i)][1] = ranges_[i].max;
    }
    archive.write("ranges", ranges, true);
    torch::serialize::OutputArchive state;
    optimizer_->save(state);
    archive.write("optimizer", state);
    std::ostringstream out;
    archive.save_to(out);
    const std::string bytes = std::move(out).str();
    return write_file_atomically(path, std::as_bytes(std::span(bytes)));
  } catch (const std::exception& error) {
    return internal_error(path, ": cannot be made: ", error.what());
  }
}

Status Trainer::load(const std::string& path) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto bytes, read_file(path, kMostCheckpointBytes));
  try {
    torch::NoGradGuard no_grad;
    torch::serialize::InputArchive archive;
    archive.load_from(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto read = [&](const std::string& name, const Tensor& target) {
      Tensor value;
      archive.read(name, value);
      TORCH_CHECK(value.sizes() == target.sizes(), name, " has another shape");
      const_cast<Tensor&>(target).copy_(value);
    };
    const auto& parameters = network_->parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      read("parameter " + std::to_string(i), parameters[i].value);
      read("average " + std::to_string(i), averages_[i]);
    }
    for (size_t i = 0; i < network_->buffers().size(); ++i) {
      read("buffer " + std::to_string(i), network_->buffers()[i]);
    }
    Tensor ranges, step;
    archive.read("ranges", ranges);
    if (ranges.size(0) > 0) {
      quantize::ActivationRanges values(static_cast<size_t>(ranges.size(0)));
      for (size_t i = 0; i < values.size(); ++i) {
        values[i].min = ranges[static_cast<int64_t>(i)][0].item<float>();
        values[i].max = ranges[static_cast<int64_t>(i)][1].item<float>();
      }
      DEEPLAB_RETURN_IF_ERROR(set_ranges(values));
    }
    torch::serialize::InputArchive state;
    archive.read("optimizer", state);
    optimizer_->load(state);
    archive.read("step", step);
    done_ = step.item<int64_t>();
    loader_.reset();
    return {};
  } catch (const std::exception& error) {
    return invalid_argument(
        path, ": no checkpoint of this network: ", std::string(error.what()).substr(0, 200));
  }
}

}  // namespace deeplab::train
