// An inverted residual block as one step: expand, depthwise, project and add a strip of rows at a
// time, so that the wide tensors in the middle never leave the cache, and workers meet once per
// block. Every convolution runs on its own kernel.
//
// Rows that a dilation keeps apart have nothing to do with each other: with a dilation of 4, output
// rows 1, 5, 9, ... need input rows 1, 5, 9, ... alone. Such rows are a phase, which is run as a
// picture of its own, without a dilation between its rows: its strips are smaller, and two threads
// expand the same row only if a phase is cut between them.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "plan/steps/block_end.h"
#include "plan/steps/bound_channelwise.h"
#include "plan/steps/bound_convolution.h"
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

/// What the rows of the wide tensors in one strip should take at most: an eighth of a 1 MB
/// second-level cache, beside which weights and the narrow tensors have room.
constexpr int64_t kStripBytes = 128 * 1024;

/// How much of the expanded tensor is kept at least, in float: the rows that the next strip reads
/// once more are moved to the front only when the buffer is full.
constexpr int64_t kFloatWideBytes = 256 * 1024;

/// `count` pixels as floats.
void look_up(const float* values, int32_t channels, const uint8_t* pixels, int64_t count,
             float* out) {
  constexpr int kValues = 256;
  if (channels == 3) {
    for (int64_t i = 0; i < count; ++i, pixels += 3, out += 3) {
      // Through integer registers: cores of today store twice as many of those in a cycle.
      for (int c = 0; c < 3; ++c) {
        std::memcpy(out + c, values + c * kValues + pixels[c], sizeof(float));
      }
    }
    return;
  }
  for (int64_t i = 0; i < count * channels; ++i) {
    out[i] = values[i % channels * kValues + pixels[i]];
  }
}

template <typename Types>
class BlockStripsStep final : public Step {
 public:
  using Conv = BoundConvolution<typename Types::Conv>;
  using Depthwise = BoundConvolution<typename Types::Depthwise>;
  using Element = typename Conv::Element;
  static constexpr bool kFloat = std::is_same_v<Element, float>;

  BlockStripsStep(std::unique_ptr<Conv> expand, std::unique_ptr<Depthwise> depthwise,
                  BoundChannelwise channelwise, std::unique_ptr<Conv> project, BlockEnd<Types> end)
      : expand_(std::move(expand)),
        depthwise_(std::move(depthwise)),
        channelwise_(std::move(channelwise)),
        project_(std::move(project)),
        end_(std::move(end)) {
    const kernels::WindowShape& d = depthwise_->shape();
    wide_row_ = int64_t{d.in_w} * d.in_c;
    deep_row_ = int64_t{d.out_w} * d.out_c;
    narrow_row_ = int64_t{d.out_w} * project_->shape().out_c;
    const bool has_phases = d.stride_h == 1 && d.pad_top % d.dilation_h == 0 &&
                            d.dilation_h <= std::min(d.in_h, d.out_h);
    if (has_phases && expand_ && kernels::is_pointwise(expand_->shape())) {
      phases_ = d.dilation_h;
    }
    const Phase tallest = phase(0);
    const kernels::WindowShape& p = tallest.depthwise.shape;
    const auto bytes_of = [&](int32_t rows) {
      const int64_t wide = expand_ ? int64_t{input_rows(p, rows)} * wide_row_ : 0;
      return (wide + rows * deep_row_) * static_cast<int64_t>(sizeof(Element));
    };
    // 8-bit depthwise kernels take rows in pairs, a dilation apart; with a dilation, strips of one
    // row would move more rows than they make.
    unit_ = kFloat && p.dilation_h == 1 ? 1 : 2 * p.dilation_h;
    strip_rows_ = unit_;
    while (strip_rows_ + unit_ <= p.out_h && bytes_of(strip_rows_ + unit_) <= kStripBytes) {
      strip_rows_ += unit_;
    }
    strip_rows_ = std::min(strip_rows_, p.out_h);

    kernel_scratch_ =
        std::max(depthwise_->scratch_bytes_as(tallest.depthwise), project_->scratch_bytes());
    if (expand_) kernel_scratch_ = std::max(kernel_scratch_, expand_->scratch_bytes());
    kernel_scratch_ = aligned(kernel_scratch_);
    const auto bytes = [](int64_t elements) {
      return aligned(static_cast<size_t>(elements) * sizeof(Element));
    };
    wide_rows_ = input_rows(p, strip_rows_);
    if constexpr (kFloat) {
      const int64_t room = kFloatWideBytes / (wide_row_ * static_cast<int64_t>(sizeof(Element)));
      wide_rows_ = std::max(wide_rows_, static_cast<int32_t>(std::min<int64_t>(room, p.in_h)));
    }
    wide_bytes_ = expand_ ? bytes(wide_rows_ * wide_row_) : 0;
    deep_bytes_ = bytes(strip_rows_ * deep_row_);
    if (end_.places().input.is_pixels && expand_) {
      const kernels::WindowShape& e = expand_->shape();
      const int64_t rows = std::min<int64_t>(rows_under(e, input_rows(p, strip_rows_)), e.in_h);
      pixel_bytes_ = bytes(rows * e.in_w * e.in_c);
    }
  }

  void run(const RunContext& context) const override {
    const kernels::WindowShape& d = depthwise_->shape();
    if (phases_ > 1) {
      // The same number of pieces per worker. With one piece per phase no row is expanded twice.
      const int32_t parts = context.workers / std::gcd(context.workers, phases_);
      for_rows(context, phases_ * parts, 1, [&](int32_t begin, int32_t end, std::byte* scratch) {
        for (int32_t piece = begin; piece < end; ++piece) {
          const Phase rows = phase(piece / parts);
          const int64_t count = rows.depthwise.shape.out_h;
          const int64_t part = piece % parts;
          run_rows(context, rows, static_cast<int32_t>(count * part / parts),
                   static_cast<int32_t>(count * (part + 1) / parts), scratch);
        }
      });
      return;
    }
    // Every piece computes the expanded rows above its first one again.
    const int32_t unit = expand_ ? 8 * d.dilation_h : unit_;
    for_rows(context, d.out_h, even_grain(d.out_h, unit, context.workers),
             [&](int32_t begin, int32_t end, std::byte* scratch) {
               run_rows(context, phase(0), begin, end, scratch);
             });
  }
  size_t scratch_bytes() const override {
    return kernel_scratch_ + wide_bytes_ + deep_bytes_ + pixel_bytes_ +
           end_.narrow_bytes(strip_rows_);
  }
  bool takes_pixels() const override { return kFloat && expand_ != nullptr; }
  size_t packed_bytes() const override {
    return (expand_ ? expand_->packed_bytes() : 0) + depthwise_->packed_bytes() +
           channelwise_.packed_bytes() + project_->packed_bytes();
  }

 private:
  /// Rows of the picture as a picture of their own, whose row i is row `first` + i * `step`.
  struct Phase {
    typename Depthwise::Params depthwise;
    int32_t first;
    int32_t step;
  };
  Phase phase(int32_t first) const {
    Phase result{depthwise_->params(), first, phases_};
    kernels::WindowShape& shape = result.depthwise.shape;
    shape.in_h = (shape.in_h - first + phases_ - 1) / phases_;
    shape.out_h = (shape.out_h - first + phases_ - 1) / phases_;
    shape.pad_top /= phases_;
    shape.dilation_h /= phases_;
    return result;
  }

  /// Input rows under so many neighbouring output rows.
  static int64_t rows_under(const kernels::WindowShape& w, int32_t rows) {
    return int64_t{rows - 1} * w.stride_h + int64_t{w.filter_h - 1} * w.dilation_h + 1;
  }
  /// Of the depthwise convolution `d` of a phase.
  static int32_t input_rows(const kernels::WindowShape& d, int32_t rows) {
    return static_cast<int32_t>(rows_under(d, rows));
  }

  /// What rows [begin, end) of the expanded tensor are made of, where row 0 would be.
  const Element* expand_input(const RunContext& context, int32_t begin, int32_t end,
                              std::byte* buffer) const {
    const std::byte* input = end_.places().input.read(context);
    if constexpr (kFloat) {
      if (end_.places().input.is_pixels) {
        const kernels::WindowShape& e = expand_->shape();
        const int64_t row = int64_t{e.in_w} * e.in_c;
        const int32_t top = begin * e.stride_h - e.pad_top;
        const int32_t first = std::clamp(top, 0, e.in_h);
        const auto last = static_cast<int32_t>(
            std::clamp<int64_t>(top + rows_under(e, end - begin), first, e.in_h));
        auto* values = reinterpret_cast<float*>(buffer);
        const auto* pixels = reinterpret_cast<const uint8_t*>(input) + first * row;
        const int64_t count = int64_t{last - first} * e.in_w;
        look_up(context.pixel_values, e.in_c, pixels, count, values);
        return row_zero(values, first, row);
      }
    }
    return reinterpret_cast<const Element*>(input);
  }

  /// Output rows [begin, end) of a phase.
  void run_rows(const RunContext& context, const Phase& rows, int32_t begin, int32_t end,
                std::byte* scratch) const {
    const kernels::WindowShape& d = rows.depthwise.shape;
    std::byte* buffers = scratch + kernel_scratch_;
    auto* wide = reinterpret_cast<Element*>(buffers);
    auto* deep = reinterpret_cast<Element*>(buffers + wide_bytes_);
    std::byte* narrow = buffers + wide_bytes_ + deep_bytes_;
    std::byte* pixels = narrow + end_.narrow_bytes(strip_rows_);

    int32_t held_begin = 0;  // Rows [held_begin, held_end) of the expanded tensor are in `wide`.
    int32_t held_end = 0;
    for (int32_t row = begin; row < end; row += strip_rows_) {
      const int32_t strip_end = std::min(row + strip_rows_, end);
      const Element* wide_zero = nullptr;
      if (!expand_) {
        wide_zero = reinterpret_cast<const Element*>(end_.places().input.read(context));
      } else {
        const int32_t top = row * d.stride_h - d.pad_top;
        const int32_t first = std::clamp(top, 0, d.in_h);
        const int32_t last = std::clamp(top + input_rows(d, strip_end - row), first, d.in_h);
        const int32_t kept = std::clamp(held_end - first, 0, last - first);
        if (kept == 0) {
          held_begin = first;
        } else if (last - held_begin > wide_rows_) {
          std::memmove(wide, wide + (first - held_begin) * wide_row_,
                       static_cast<size_t>(kept * wide_row_) * sizeof(Element));
          held_begin = first;
        }
        for_neighbours(rows, first + kept, last, [&](int32_t from, int32_t y, int32_t y_end) {
          Element* out = row_zero(wide + (from - held_begin) * wide_row_, y, wide_row_);
          expand_->run(expand_input(context, y, y_end, pixels), out, y, y_end, scratch);
        });
        held_end = last;
        wide_zero = row_zero(wide, held_begin, wide_row_);
      }
      Element* deep_zero = row_zero(deep, row, deep_row_);
      depthwise_->run_as(rows.depthwise, wide_zero, deep_zero, row, strip_end, scratch);
      if constexpr (std::is_same_v<Element, int8_t>) {
        if (!channelwise_.empty()) {
          channelwise_.run(int64_t{strip_end - row} * d.out_w, deep, deep);
        }
      }
      for_neighbours(rows, row, strip_end, [&](int32_t from, int32_t y, int32_t y_end) {
        const Element* in = row_zero(deep + (from - row) * deep_row_, y, deep_row_);
        Element* projected = row_zero(end_.projected(context, y, narrow), y, narrow_row_);
        project_->run(in, projected, y, y_end, scratch);
        end_.finish(context, y, y_end, narrow);
      });
    }
  }

  /// Rows [begin, end) of a phase in runs of rows that are neighbours in the picture, too:
  /// body(first row of the run, its place in the picture, and where the run ends there).
  template <typename Body>
  static void for_neighbours(const Phase& rows, int32_t begin, int32_t end, const Body& body) {
    const int32_t run = rows.step == 1 ? end - begin : 1;
    for (int32_t row = begin; row < end; row += run) {
      const int32_t y = rows.first + row * rows.step;
      body(row, y, y + run);
    }
  }

  std::unique_ptr<const Conv> expand_;  ///< Null: the block begins with the depthwise convolution.
  std::unique_ptr<const Depthwise> depthwise_;
  BoundChannelwise channelwise_;  ///< int8 only: in float they are in the weights.
  std::unique_ptr<const Conv> project_;
  BlockEnd<Types> end_;
  int64_t wide_row_ = 0;    ///< Elements of a row: expanded,
  int64_t deep_row_ = 0;    ///< after the depthwise convolution,
  int64_t narrow_row_ = 0;  ///< and after the projection.
  int32_t phases_ = 1;      ///< More than one: rows of the picture a dilation apart.
  int32_t unit_ = 1;
  int32_t strip_rows_ = 1;
  int32_t wide_rows_ = 0;  ///< That the buffer of the expanded tensor has room for.
  size_t kernel_scratch_ = 0;
  size_t wide_bytes_ = 0;
  size_t deep_bytes_ = 0;
  size_t pixel_bytes_ = 0;  ///< Of floats made of pixels.
};

/// A convolution of the block: its parameters and their kernel, both null if there is none.
template <typename LoweredConv>
struct Part {
  using Bound = BoundConvolution<LoweredConv>;

  LoweredConv* lowered = nullptr;
  const typename Bound::Kernel* kernel = nullptr;
  std::span<const TensorPlace> inputs;

  Part(LoweredOp& op, Isa isa) : lowered(std::get_if<LoweredConv>(&op.lowered)), inputs(op.inputs) {
    if (lowered != nullptr) kernel = find_kernel(params_of(*lowered), inputs, isa);
  }
  const kernels::WindowShape& shape() const { return params_of(*lowered).shape; }
  Result<std::unique_ptr<Bound>> bind() const {
    return Bound::bind(*kernel, std::move(*lowered), inputs);
  }
};

template <typename Types>
Result<MadeStep> make(std::span<LoweredOp> ops, Isa isa) {
  using ThisStep = BlockStripsStep<Types>;
  const auto is_projection = [](const LoweredOp& op) {
    return std::holds_alternative<typename Types::Conv>(op.lowered);
  };
  const auto is_depthwise = [](const LoweredOp& op) {
    return std::holds_alternative<typename Types::Depthwise>(op.lowered);
  };
  const auto found = std::find_if(ops.begin(), ops.end(), is_depthwise);
  if (found == ops.end()) return MadeStep{};
  const auto projection = std::find_if(found + 1, ops.end(), is_projection);
  if (projection == ops.end()) return MadeStep{};
  const auto at = static_cast<size_t>(found - ops.begin());
  const auto project_at = static_cast<size_t>(projection - ops.begin());

  // Everything that may say no, before anything is used up.
  std::optional<Part<typename Types::Conv>> expand_part;
  if (at == 1) expand_part.emplace(ops[0], isa);
  const Part<typename Types::Depthwise> depthwise_part(*found, isa);
  const Part<typename Types::Conv> project_part(*projection, isa);
  if ((expand_part && expand_part->kernel == nullptr) || depthwise_part.kernel == nullptr ||
      project_part.kernel == nullptr) {
    return MadeStep{};
  }
  const auto between = ops.subspan(at + 1, project_at - at - 1);
  DEEPLAB_ASSIGN_OR_RETURN(auto channelwise,
                           BoundChannelwise::bind(between, depthwise_part.shape().out_c, isa));
  if (!channelwise) return MadeStep{};
  auto end = make_block_end<Types>(ops, project_at, project_part.shape(), isa);
  if (!end) return MadeStep{};

  std::string name;
  std::unique_ptr<typename ThisStep::Conv> expand;
  if (expand_part) {
    DEEPLAB_ASSIGN_OR_RETURN(expand, expand_part->bind());
    name = str_cat(expand->name(), " + ");
  }
  DEEPLAB_ASSIGN_OR_RETURN(auto depthwise, depthwise_part.bind());
  DEEPLAB_ASSIGN_OR_RETURN(auto project, project_part.bind());
  name += str_cat(depthwise->name(), channelwise->name(), " + ", project->name(), end->name());
  return MadeStep{
      std::move(name),
      std::make_unique<ThisStep>(std::move(expand), std::move(depthwise), std::move(*channelwise),
                                 std::move(project), std::move(*end))};
}

}  // namespace

Result<MadeStep> make_block_strips_step(std::span<LoweredOp> ops, Isa isa) {
  DEEPLAB_ASSIGN_OR_RETURN(MadeStep made, make<Int8Types>(ops, isa));
  if (made.step) return made;
  return make<FloatTypes>(ops, isa);
}

}  // namespace deeplab::plan
