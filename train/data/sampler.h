// Which photo is sample number k.
#pragma once

#include <cstdint>
#include <vector>

#include "train/data/sources.h"

namespace deeplab::train {

/// Sources are mixed in blocks of kBlock samples: within a block each source has its share of the
/// places (rounded to whole places, at least one), in an order drawn for the block. A source deals
/// its photos in passes of as many draws as it has photos, each in its own shuffled order: every
/// photo once per pass or, if photos have weights, photo i floor or ceil of (its share times the
/// photos) times.
///
/// item(k) depends on the arguments of the constructor and k alone. The object remembers the block
/// and the passes it was last asked for, so that a run in order is cheap; not thread-safe.
class Sampler {
 public:
  static constexpr int64_t kBlock = 1000;

  /// `source_weights` as SourceOptions::weight; `item_weights` by item of the list, or empty: all
  /// the same. All weights are positive; no source is empty; at most kBlock sources.
  Sampler(uint64_t seed, std::vector<SourceRange> sources,
          const std::vector<double>& source_weights, const std::vector<double>& item_weights);

  /// Index into ItemList::items, k >= 0.
  int64_t item(int64_t k);

 private:
  struct Source {
    SourceRange range;
    int64_t places = 0;            ///< In every block.
    std::vector<uint64_t> summed;  ///< Running sums of the photos' weights; empty: all equal.
    int64_t pass = -1;             ///< The one that `order` is for.
    std::vector<int32_t> order;    ///< [count] photos of the pass, in the order of the draws.
  };

  void share_places(const std::vector<double>& source_weights);
  void deal_block(int64_t block);
  void deal_pass(size_t source, int64_t pass);

  uint64_t seed_;
  std::vector<Source> sources_;
  int64_t block_ = -1;
  std::vector<int32_t> block_source_;  ///< [kBlock] the source of each place of block_.
  std::vector<int32_t> block_draw_;    ///< [kBlock] how many places before it that source has.
};

}  // namespace deeplab::train
