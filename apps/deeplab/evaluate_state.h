// The file of `evaluate --resume`: what has been measured so far, and for what.
//
// JSON: {"format": "deeplab evaluate 1", "made_with": {"model": "...", ...}, "photos": [{"index":
// 7, "cells": [[truth, predicted, pixels], ...], "ignored": 12, "boundary": [[class, f], ...]}]}.
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

/// All that results depend on, by name: {"fit", "pad"}. A state goes with a run whose facts are
/// the same.
using StateFacts = std::vector<std::pair<std::string, std::string>>;

/// The model and the files of the dataset go in as 64-bit hashes (FNV-1a): of the network with its
/// weights and labels, and of the ids with their files' sizes and times.
StateFacts state_facts(const api::Model& model, const eval::VocDataset& dataset,
                       const eval::Protocol& protocol, const std::string& predictions);

/// What the file has of `photos` photos; all empty where there is no file yet. Errors: a file that
/// is no state, or one with other facts, the first of which is named.
Result<std::vector<std::optional<eval::PhotoScore>>> read_state(const std::string& path,
                                                                const StateFacts& facts,
                                                                size_t photos, int32_t classes);

/// Whole or not at all.
Status write_state(const std::string& path, const StateFacts& facts,
                   std::span<const std::optional<eval::PhotoScore>> photos);

}  // namespace deeplab::app
