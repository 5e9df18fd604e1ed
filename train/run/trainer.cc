#include "train/run/trainer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "train/run/checkpoint.h"

namespace deeplab::train {

Result<std::unique_ptr<Trainer>> Trainer::create(const TrainOptions& given, int threads,
                                                 ProcessGroup* group) {
  threads = std::max(1, threads);
  std::unique_ptr<Trainer> self(new Trainer());
  TrainOptions& options = self->options_;
  options = given;
  options.data.rank = group->rank();
  options.data.world = group->world();
  options.data.class_count = options.network.classes;
  self->group_ = group;
  DEEPLAB_ASSIGN_OR_RETURN(self->network_, make_initial_network(options));
  GraphNetwork& network = self->network_->network;
  self->average_.emplace(network, options);
  if (options.quantize_photos > 0) {
    DEEPLAB_ASSIGN_OR_RETURN(self->ranges_, measure_ranges(network, options, threads));
    DEEPLAB_RETURN_IF_ERROR(simulate_int8(network, self->float_graph(), self->ranges_));
  }
  DEEPLAB_ASSIGN_OR_RETURN(self->gradients_, BatchGradients::create(options, threads, group));
  self->descent_.emplace(options, network);
  return self;
}

Result<StepReport> Trainer::step() {
  if (!loader_) {
    options_.data.first_step = done_;
    DEEPLAB_ASSIGN_OR_RETURN(loader_, Loader::create(options_.data));
  }
  GraphNetwork& network = network_->network;
  DEEPLAB_ASSIGN_OR_RETURN(Batch batch, loader_->next());
  DEEPLAB_ASSIGN_OR_RETURN(const BatchGradients::Sums sums,
                           gradients_->compute(network, descent_->trained(), batch, done_ + 1));
  loader_->recycle(std::move(batch));
  if (!std::isfinite(sums.loss)) {
    return invalid_argument("step ", done_ + 1, ": the loss is ", sums.loss,
                            "; a lower learning rate may help");
  }
  const double rate = descent_->rate_at(done_);
  descent_->step(rate);
  network.update_running(sums.statistics, 0.1);
  DEEPLAB_RETURN_IF_ERROR(group_->average(network.buffers()));
  ++done_;
  average_->update(network, done_);
  return StepReport{done_, sums.loss, sums.masks, sums.teacher, rate};
}

graph::Graph Trainer::float_graph() const {
  return network_->network.export_graph(average_->exported(network_->network));
}

Result<graph::Graph> Trainer::int8_graph() const {
  return quantize_to_int8(float_graph(), ranges_);
}

Status Trainer::save(const std::string& path) {
  return save_checkpoint(
      path, {network_->network, average_->averages(), descent_->optimizer(), ranges_, done_});
}

Status Trainer::load(const std::string& path) {
  GraphNetwork& network = network_->network;
  TrainingState state{network, average_->averages(), descent_->optimizer(), {}, 0};
  DEEPLAB_RETURN_IF_ERROR(load_checkpoint(path, state));
  if (!state.ranges.empty()) {
    ranges_ = std::move(state.ranges);
    DEEPLAB_RETURN_IF_ERROR(simulate_int8(network, float_graph(), ranges_));
  }
  done_ = state.step;
  loader_.reset();
  return {};
}

}  // namespace deeplab::train
