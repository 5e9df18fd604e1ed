// What the command line says of a model that its file does not say, or says wrongly: the same flags
// in every command that runs one.
#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "api/model.h"
#include "base/status.h"

namespace deeplab::app {

class ModelFlags {
 public:
  /// --mean, --std, --input-range, --labels, --output-tensor, --threshold and --allow-custom-ops.
  /// Values that make no sense are usage errors. The object must live until the command line has
  /// parsed, and be asked only after that.
  void add_to(CLI::App& app);

  /// value = (pixel - mean) / std, pixels 0..255; nothing: the model's own. With --input-range
  /// LOW,HIGH a pixel is first LOW + pixel / 255 * (HIGH - LOW), and --mean and --std, 0 and 1
  /// unless given, are in its units; here they are in those of pixels.
  std::optional<std::array<float, 3>> mean() const;
  std::optional<std::array<float, 3>> std() const;

  /// --output-tensor; empty: the one with the largest picture.
  const std::string& output() const { return output_; }
  /// --threshold.
  float threshold() const { return threshold_; }
  bool allow_custom_ops() const { return allow_custom_ops_; }
  /// The file of --labels; empty: none.
  const std::string& labels_file() const { return labels_file_; }
  /// All of them. Error: labels that cannot be read.
  Result<api::ModelOptions> options() const;

 private:
  using Channels = std::array<float, 3>;
  struct Range {
    double low = 0;
    double high = 0;
  };

  std::optional<Channels> mean_;  // as given
  std::optional<Channels> std_;
  std::optional<Range> range_;
  std::string labels_file_;
  std::string output_;
  float threshold_ = passes::kDefaultThreshold;
  bool allow_custom_ops_ = false;
};

/// The model at `path`, or, if that is empty, the one built into this binary.
Result<std::shared_ptr<const api::Model>> load_model(const std::string& path,
                                                     const ModelFlags& flags);

/// What to try if all photos of a run became one class and nobody said how the model wants its
/// pixels: the most common reason. `label` is the class.
std::string normalization_warning(const std::string& model, const std::string& label);

}  // namespace deeplab::app
