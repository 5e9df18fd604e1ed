// The file of `evaluate --resume`: what has been measured so far, and for what.
//
// JSON: {"format": "deeplab evaluate 1", "made_with": {"model": "...", ...}, "photos": [{"id":
// "2007_000042", "files": "...", "cells": [[truth, predicted, pixels], ...], "ignored": 12,
// "boundary": [[class, f], ...]}, ...]}.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/model.h"
#include "eval/evaluation.h"
#include "eval/voc_dataset.h"

namespace deeplab::app {

/// Hashes (FNV-1a, 64 bits) stand for the model (its network, weights, labels and normalization)
/// and for the files of a photo (their sizes and times).
class EvaluateState {
 public:
  /// `path` need not exist. `graph`: the model's, with its weights. `predictions`: the directory of
  /// the label maps, or nothing. `classes` may be null.
  EvaluateState(std::string path, const api::Model& model, const graph::Graph& graph,
                const eval::VocDataset& dataset, const eval::Protocol& protocol,
                const std::string& predictions, const eval::ClassMap* classes);

  /// What the file has of the dataset's photos, in the dataset's order; all empty if there is
  /// no file yet. A photo whose files have changed is left out. Errors: a file that is not a state,
  /// or one made with another model or other options, the first of which is named.
  Result<std::vector<std::optional<eval::PhotoScore>>> read() const;

  /// Whole or not at all.
  Status write(std::span<const std::optional<eval::PhotoScore>> photos) const;

 private:
  Result<std::vector<std::optional<eval::PhotoScore>>> parse(std::string_view text) const;

  std::string path_;
  int32_t classes_;
  /// All that results depend on, by name: {"--fit", "pad"}.
  std::vector<std::pair<std::string, std::string>> facts_;
  std::vector<std::string> ids_;    // of the photos
  std::vector<std::string> files_;  // their hashes
};

}  // namespace deeplab::app
