#include "apps/deeplab/bench/verify.h"

#include <algorithm>

#include "apps/deeplab/compare/ops.h"

namespace deeplab::app {
namespace {

/// In words, what goes wrong first when the file's graph runs on the segmenter's kernels.
Result<std::string> find_cause(const api::Segmenter& segmenter, FileNetwork& reference,
                               const vision::ImageView& photo, vision::Fit fit) {
  FileNetworkOptions options;
  options.isa = segmenter.plan().options().isa;
  options.threads = segmenter.threads();
  options.size = {segmenter.canvas_width(), segmenter.canvas_height()};
  options.output_stride = reference.options().output_stride;
  DEEPLAB_ASSIGN_OR_RETURN(const auto planned, FileNetwork::load(reference.path(), options));
  DEEPLAB_RETURN_IF_ERROR(planned->run(photo, fit));
  const std::vector<OpDifference> ops = compare_ops(*planned, reference);
  const OpDifference* first = first_difference(ops);
  if (first == nullptr) {
    return std::string(
        "no op differs if every tensor has memory of its own: the places in the "
        "arena are wrong, or a cut at an end of the graph");
  }
  return str_cat(op_label(*first), " is the first that differs, in ",
                 first->elements - first->equal, " of ", first->elements, " elements");
}

std::string settings_of(const api::Segmenter& segmenter) {
  return str_cat(isa_name(segmenter.plan().options().isa), ", ", segmenter.threads(), " threads");
}

}  // namespace

Status verify_scores(api::Segmenter& segmenter, FileNetwork& reference,
                     const vision::ImageView& photo, vision::Fit fit) {
  DEEPLAB_RETURN_IF_ERROR(segmenter.run(photo));
  const graph::TensorId scores = segmenter.head().scores;
  const std::span<const std::byte> found = segmenter.executor().tensor(scores);
  if (std::ranges::equal(found, reference.stored(scores))) return {};
  DEEPLAB_ASSIGN_OR_RETURN(const std::string cause, find_cause(segmenter, reference, photo, fit));
  return internal_error(
      "the scores differ from those of the reference kernels, so there is nothing "
      "to time (",
      settings_of(segmenter), "): ", cause);
}

Status verify_labels(const api::Segmenter& segmenter, const LabelMap& found,
                     std::span<const uint8_t> expected) {
  if (std::ranges::equal(found.ids, expected)) return {};
  if (found.ids.size() != expected.size()) {
    return internal_error("a label map of ", found.ids.size(), " pixels, expected ",
                          expected.size());
  }
  const auto [at, wanted] = std::ranges::mismatch(found.ids, expected);
  const auto index = static_cast<int32_t>(at - found.ids.begin());
  return internal_error(
      "the label map differs from that of the reference scores, so there is "
      "nothing to time (",
      settings_of(segmenter), "): class ", int{*at}, " instead of ", int{*wanted}, " at pixel ",
      index % found.width, ",", index / found.width);
}

}  // namespace deeplab::app
