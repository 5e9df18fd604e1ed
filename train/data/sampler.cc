#include "train/data/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "train/data/random.h"

namespace deeplab::train {
namespace {

uint64_t stream_key(uint64_t seed, Draw use, uint64_t a, uint64_t b = 0) {
  return derive_key(derive_key(derive_key(seed, static_cast<uint64_t>(use)), a), b);
}

/// Fisher and Yates' shuffle.
void shuffle(std::vector<int32_t>& values, uint64_t key) {
  for (size_t left = values.size(); left > 1; --left) {
    const auto pick = static_cast<size_t>(below(derive_key(key, left), static_cast<int64_t>(left)));
    std::swap(values[left - 1], values[pick]);
  }
}

}  // namespace

Sampler::Sampler(uint64_t seed, std::vector<SourceRange> sources,
                 const std::vector<double>& source_weights, const std::vector<double>& item_weights)
    : seed_(seed) {
  for (const SourceRange& range : sources) {
    Source source;
    source.range = range;
    if (!item_weights.empty()) {
      // Whole numbers, so that a last bit of pow() that differs between machines does not matter.
      const auto* weights = item_weights.data() + range.first;
      const double largest = *std::max_element(weights, weights + range.count);
      uint64_t sum = 0;
      for (int64_t i = 0; i < range.count; ++i) {
        const auto whole = static_cast<uint64_t>(std::lround(weights[i] / largest * 0x1.0p20));
        sum += std::max<uint64_t>(1, whole);
        source.summed.push_back(sum);
      }
    }
    sources_.push_back(std::move(source));
  }
  share_places(source_weights);
}

void Sampler::share_places(const std::vector<double>& source_weights) {
  std::vector<double> wanted;
  for (size_t s = 0; s < sources_.size(); ++s) {
    wanted.push_back(source_weights[s] * static_cast<double>(sources_[s].range.count));
  }
  const double sum = std::accumulate(wanted.begin(), wanted.end(), 0.0);
  int64_t left = kBlock;
  for (size_t s = 0; s < sources_.size(); ++s) {
    wanted[s] *= kBlock / sum;
    sources_[s].places = std::max<int64_t>(1, static_cast<int64_t>(std::floor(wanted[s])));
    left -= sources_[s].places;
  }
  // The rest goes where the rounding took most; what the minimum of one took comes from the
  // largest.
  while (left != 0) {
    size_t best = 0;
    const auto gain = [&](size_t s) {
      const double missing = wanted[s] - static_cast<double>(sources_[s].places);
      return left > 0 ? missing : static_cast<double>(sources_[s].places);
    };
    for (size_t s = 1; s < sources_.size(); ++s) {
      if (gain(s) > gain(best)) best = s;
    }
    sources_[best].places += left > 0 ? 1 : -1;
    left += left > 0 ? -1 : 1;
  }
}

void Sampler::deal_block(int64_t block) {
  block_ = block;
  block_source_.clear();
  for (size_t s = 0; s < sources_.size(); ++s) {
    block_source_.insert(block_source_.end(), static_cast<size_t>(sources_[s].places),
                         static_cast<int32_t>(s));
  }
  shuffle(block_source_, stream_key(seed_, Draw::kMix, static_cast<uint64_t>(block)));
  std::vector<int32_t> dealt(sources_.size(), 0);
  block_draw_.clear();
  for (const int32_t s : block_source_) block_draw_.push_back(dealt[static_cast<size_t>(s)]++);
}

void Sampler::deal_pass(size_t source_index, int64_t pass) {
  Source& source = sources_[source_index];
  source.pass = pass;
  const int64_t count = source.range.count;
  source.order.resize(static_cast<size_t>(count));
  if (source.summed.empty()) {
    std::iota(source.order.begin(), source.order.end(), 0);
  } else {
    // Systematic resampling: evenly spaced points, one offset per pass, over the running sums.
    const auto sum = static_cast<double>(source.summed.back());
    const double offset = unit_interval(
        stream_key(seed_, Draw::kPassOffset, source_index, static_cast<uint64_t>(pass)));
    size_t photo = 0;
    for (int64_t i = 0; i < count; ++i) {
      const double point = (static_cast<double>(i) + offset) / static_cast<double>(count) * sum;
      while (photo + 1 < source.summed.size() &&
             static_cast<double>(source.summed[photo]) <= point) {
        ++photo;
      }
      source.order[static_cast<size_t>(i)] = static_cast<int32_t>(photo);
    }
  }
  shuffle(source.order, stream_key(seed_, Draw::kPass, source_index, static_cast<uint64_t>(pass)));
}

int64_t Sampler::item(int64_t k) {
  if (k / kBlock != block_) deal_block(k / kBlock);
  const auto place = static_cast<size_t>(k % kBlock);
  const auto s = static_cast<size_t>(block_source_[place]);
  Source& source = sources_[s];
  const int64_t draw = block_ * source.places + block_draw_[place];
  const int64_t pass = draw / source.range.count;
  if (pass != source.pass) deal_pass(s, pass);
  return source.range.first + source.order[static_cast<size_t>(draw % source.range.count)];
}

}  // namespace deeplab::train
