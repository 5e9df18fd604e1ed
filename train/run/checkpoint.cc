#include "train/run/checkpoint.h"

#include <sstream>

#include "base/file.h"

namespace deeplab::train {
namespace {

using torch::Tensor;

constexpr int64_t kMostCheckpointBytes = int64_t{4} << 30;

Tensor as_tensor(const quantize::ActivationRanges& ranges) {
  Tensor values = torch::zeros({static_cast<int64_t>(ranges.size()), 2});
  for (size_t i = 0; i < ranges.size(); ++i) {
    values[static_cast<int64_t>(i)][0] = ranges[i].min;
    values[static_cast<int64_t>(i)][1] = ranges[i].max;
  }
  return values;
}

quantize::ActivationRanges as_ranges(const Tensor& values) {
  quantize::ActivationRanges ranges(static_cast<size_t>(values.size(0)));
  for (size_t i = 0; i < ranges.size(); ++i) {
    ranges[i].min = values[static_cast<int64_t>(i)][0].item<float>();
    ranges[i].max = values[static_cast<int64_t>(i)][1].item<float>();
  }
  return ranges;
}

/// Into the tensor that is there.
void read_into(torch::serialize::InputArchive& archive, const std::string& name, Tensor target) {
  Tensor value;
  archive.read(name, value);
  TORCH_CHECK(value.sizes() == target.sizes(), name, " has another shape");
  target.copy_(value);
}

}  // namespace

Status save_checkpoint(const std::string& path, const TrainingState& state) {
  try {
    torch::serialize::OutputArchive archive;
    archive.write("step", torch::tensor(state.step));
    const auto& parameters = state.network.parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      archive.write("parameter " + std::to_string(i), parameters[i].value.detach());
      archive.write("average " + std::to_string(i), state.averages[i]);
    }
    const auto& buffers = state.network.buffers();
    for (size_t i = 0; i < buffers.size(); ++i) {
      archive.write("buffer " + std::to_string(i), buffers[i], true);
    }
    archive.write("ranges", as_tensor(state.ranges), true);
    torch::serialize::OutputArchive optimizer;
    state.optimizer.save(optimizer);
    archive.write("optimizer", optimizer);
    std::ostringstream out;
    archive.save_to(out);
    const std::string bytes = std::move(out).str();
    return write_file_atomically(path, std::as_bytes(std::span(bytes)));
  } catch (const std::exception& error) {
    return internal_error(path, ": cannot be made: ", error.what());
  }
}

Status load_checkpoint(const std::string& path, TrainingState& state) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto bytes, read_file(path, kMostCheckpointBytes));
  try {
    torch::NoGradGuard no_grad;
    torch::serialize::InputArchive archive;
    archive.load_from(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto& parameters = state.network.parameters();
    for (size_t i = 0; i < parameters.size(); ++i) {
      read_into(archive, "parameter " + std::to_string(i), parameters[i].value);
      read_into(archive, "average " + std::to_string(i), state.averages[i]);
    }
    const auto& buffers = state.network.buffers();
    for (size_t i = 0; i < buffers.size(); ++i) {
      read_into(archive, "buffer " + std::to_string(i), buffers[i]);
    }
    Tensor ranges, step;
    archive.read("ranges", ranges);
    state.ranges = as_ranges(ranges);
    torch::serialize::InputArchive optimizer;
    archive.read("optimizer", optimizer);
    state.optimizer.load(optimizer);
    archive.read("step", step);
    state.step = step.item<int64_t>();
    return {};
  } catch (const std::exception& error) {
    return invalid_argument(
        path, ": no checkpoint of this network: ", std::string(error.what()).substr(0, 200));
  }
}

}  // namespace deeplab::train
