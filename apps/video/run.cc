#include "apps/video/run.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "apps/deeplab/common/builtin_model.h"
#include "apps/deeplab/common/class_shares.h"
#include "apps/deeplab/common/interrupt.h"
#include "apps/deeplab/common/palette.h"
#include "apps/deeplab/common/progress.h"
#include "apps/deeplab/common/public_model.h"
#include "apps/video/painter.h"
#include "apps/video/picture.h"
#include "apps/video/writer.h"
#include "base/stopwatch.h"

namespace deeplab::video {
namespace {

using app::ExitCode;
using app::InterruptGuard;

/// A frame on its way through the network.
struct Pending {
  Picture picture;
  int64_t index = 0;      // in the video, or from --start on
  int64_t timestamp = 0;  // of the stream
  double decode_ms = 0;
};

/// What happens to a video once its first frame is there. The calling thread reads and decodes, a
/// thread of the library's stream runs the network, and one of ours draws, encodes and writes.
class VideoRun {
 public:
  VideoRun(const VideoOptions& options, const app::PublicModel& model, const Palette& palette)
      : options_(options), model_(model), painter_(options.write, model.labels, palette) {}

  ExitCode run(Options network, const std::vector<int32_t>& classes);

 private:
  Status open_input();
  Status choose_canvas(Options& network);
  Status open_stream(const Options& network, const std::vector<int32_t>& classes);
  Status open_output();
  Status read_frames();
  Status push(const AVFrame& frame, int64_t index, double decode_ms);
  Status use_frames();
  Status use(const Frame& frame, const Pending& pending);
  std::string json_line(const Frame& frame, const Pending& pending,
                        std::span<const app::ClassShare> shares, double write_ms) const;
  ExitCode report();
  void say(const std::string& sentence);
  int64_t expected_frames() const;

  const VideoOptions& options_;
  const app::PublicModel& model_;
  Painter painter_;
  std::unique_ptr<VideoReader> reader_;
  const AVFrame* first_ = nullptr;
  std::optional<FrameConverter> converter_;
  std::optional<Stream> stream_;
  std::unique_ptr<VideoWriter> writer_;
  int64_t shift_ = 0;  // from the input's time stamps to the output's
  int32_t width_ = 0;  // of the upright frames
  int32_t height_ = 0;

  std::mutex mutex_;  // of these two
  std::deque<Pending> pending_;
  std::vector<Pending> spare_;  // memory to use again

  std::mutex console_;
  std::optional<app::Progress> progress_;
  Stopwatch watch_;
  int64_t taken_ = 0;
  int64_t done_ = 0;    // frames
  int64_t failed_ = 0;  // frames that the network could not be run on
  std::array<int64_t, 256> pixels_{};
};

void VideoRun::say(const std::string& sentence) {
  const std::lock_guard lock(console_);
  if (progress_) progress_->hide();
  app::print_error(sentence);
}

// ---- Before the first frame --------------------------------------------------------------------

Status VideoRun::open_input() {
  DEEPLAB_ASSIGN_OR_RETURN(
      reader_, VideoReader::open(options_.input, [this](const auto& sentence) { say(sentence); }));
  if (!options_.output.empty()) {
    struct stat in {};
    struct stat out {};
    const std::string& path = options_.input.path;
    if ((path == "-" ? ::fstat(STDIN_FILENO, &in) : ::stat(path.c_str(), &in)) == 0 &&
        ::stat(options_.output.c_str(), &out) == 0 && in.st_dev == out.st_dev &&
        in.st_ino == out.st_ino) {
      return invalid_argument("--output: ", options_.output, " is the input itself");
    }
  }
  DEEPLAB_ASSIGN_OR_RETURN(first_, reader_->next());
  if (first_ != nullptr) {
    const bool turned = reader_->turn().swaps_sides();
    width_ = turned ? first_->height : first_->width;
    height_ = turned ? first_->width : first_->height;
  }
  if (first_ != nullptr || InterruptGuard::requested()) return {};
  if (options_.input.start > 0 && !reader_->damage().any()) {
    return invalid_argument(reader_->name(), ": has no frame from ", options_.input.start,
                            " s on, where --start is");
  }
  return invalid_image(reader_->name(), ": no frame could be decoded");
}

Status VideoRun::choose_canvas(Options& network) {
  if (options_.fps <= 0) return {};
  // Decoding and drawing take their share of the same cores.
  constexpr double kRoom = 1.25;
  auto canvas =
      deeplab::choose_canvas(model_.model, network, width_, height_, options_.fps * kRoom);
  if (!canvas.ok()) return annotate(canvas.status(), "--fps");
  network.width = canvas->width;
  network.height = canvas->height;
  if (!options_.quiet) {
    say(fmt::format("--fps {}: canvas {}x{}, {:.1f} ms per frame", options_.fps, canvas->width,
                    canvas->height, canvas->milliseconds));
  }
  return {};
}

Status VideoRun::open_stream(const Options& network, const std::vector<int32_t>& classes) {
  StreamOptions options;
  const bool soft = options_.write == Output::kCutout || options_.write == Output::kBlur;
  if (soft && !options_.output.empty()) {
    options.confidence_class_ids = classes;
  }
  auto stream = Stream::create(model_.model, network, options);
  if (!stream.ok()) return stream.status();
  stream_.emplace(std::move(*stream));
  return {};
}

Status VideoRun::open_output() {
  const Turn& turn = reader_->turn();
  converter_.emplace(first_->width, first_->height, turn);
  shift_ = reader_->shift(reader_->stream().time_base);
  if (options_.output.empty()) return {};
  WriterOptions options;
  options.path = options_.output;
  options.output = options_.write;
  options.codec = options_.codec;
  options.width = width_;
  options.height = height_;
  options.time_base = reader_->stream().time_base;
  options.frame_rate = av_div_q(reader_->frame_rate(),
                                {static_cast<int>(std::min<int64_t>(options_.every, 1000)), 1});
  const AVRational aspect = first_->sample_aspect_ratio.num > 0
                                ? first_->sample_aspect_ratio
                                : reader_->stream().sample_aspect_ratio;
  options.sample_aspect_ratio = turn.swaps_sides() && aspect.num > 0 ? av_inv_q(aspect) : aspect;
  // Those that libswscale does not have are read as BT.601, too.
  const AVColorSpace matrix = first_->colorspace;
  const bool known = matrix != AVCOL_SPC_RGB && matrix != AVCOL_SPC_YCGCO && matrix <= 10;
  options.matrix = known ? matrix : AVCOL_SPC_SMPTE170M;
  options.primaries = first_->color_primaries;
  options.transfer = first_->color_trc;
  if (options_.input.audio) options.audio = reader_->audio_streams();
  DEEPLAB_ASSIGN_OR_RETURN(writer_, VideoWriter::create(options));
  if (options_.input.audio) {
    return reader_->set_audio_sink([this](const AVStream& from, AVPacket& packet) {
      return writer_->write_audio(from, packet, reader_->shift(from.time_base));
    });
  }
  return {};
}

int64_t VideoRun::expected_frames() const {
  const int64_t all = reader_->frame_count();
  int64_t count = all / options_.every + (all % options_.every > 0 ? 1 : 0);
  if (options_.max_frames > 0) {
    count = count > 0 ? std::min(count, options_.max_frames) : options_.max_frames;
  }
  return count;
}

// ---- This thread: reading ----------------------------------------------------------------------

Status VideoRun::read_frames() {
  Stopwatch watch;
  const AVFrame* frame = first_;
  for (int64_t index = 0; frame != nullptr && !InterruptGuard::requested(); ++index) {
    if (index % options_.every == 0) {
      DEEPLAB_RETURN_IF_ERROR(push(*frame, index, watch.milliseconds()));
      if (++taken_ == options_.max_frames) return {};
      watch.restart();
    }
    DEEPLAB_ASSIGN_OR_RETURN(frame, reader_->next());
  }
  return {};
}

Status VideoRun::push(const AVFrame& frame, int64_t index, double decode_ms) {
  const Stopwatch watch;
  Pending made;
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      made = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  DEEPLAB_RETURN_IF_ERROR(converter_->convert(frame, made.picture));
  made.index = index;
  made.timestamp = frame.best_effort_timestamp;
  made.decode_ms = decode_ms + watch.milliseconds();
  const ImageView view = made.picture.view();  // its pixels stay where they are
  {
    const std::lock_guard lock(mutex_);
    pending_.push_back(std::move(made));
  }
  return stream_->push(view, static_cast<uint64_t>(index));
}

// ---- The other thread: drawing and writing -----------------------------------------------------

Status VideoRun::use_frames() {
  while (true) {
    const auto frame = stream_->pull();
    if (!frame.ok()) {
      return frame.status().code() == StatusCode::kStreamEnded ? Status() : frame.status();
    }
    Pending pending;
    {
      const std::lock_guard lock(mutex_);
      pending = std::move(pending_.front());
      pending_.pop_front();
    }
    if (frame->status.ok()) {
      DEEPLAB_RETURN_IF_ERROR(use(*frame, pending));
    } else {
      ++failed_;
      say(fmt::format("{}: frame at {:.3f} s: {}", reader_->name(),
                      reader_->seconds(pending.timestamp), frame->status.message()));
    }
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(pending));
  }
}

Status VideoRun::use(const Frame& frame, const Pending& pending) {
  const Stopwatch watch;
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<app::ClassShare> shares,
                           app::class_shares(frame.category_mask, frame.width, frame.height));
  for (const app::ClassShare& share : shares) {
    pixels_[static_cast<size_t>(share.id)] += share.pixels;
  }
  if (writer_) {
    DEEPLAB_ASSIGN_OR_RETURN(const Pixels pixels, painter_.paint(pending.picture, frame));
    DEEPLAB_RETURN_IF_ERROR(writer_->write(pixels, pending.timestamp - shift_));
  }
  const std::lock_guard lock(console_);
  if (options_.json) {
    progress_->hide();
    DEEPLAB_RETURN_IF_ERROR(
        app::print_output(json_line(frame, pending, shares, watch.milliseconds())));
  }
  ++done_;
  progress_->advance();
  return {};
}

std::string VideoRun::json_line(const Frame& frame, const Pending& pending,
                                std::span<const app::ClassShare> shares, double write_ms) const {
  using Json = nlohmann::ordered_json;
  const Json object = {{"video", options_.input.path},
                       {"frame", pending.index},
                       {"time", reader_->seconds(pending.timestamp)},
                       {"width", frame.width},
                       {"height", frame.height},
                       {"model", model_.model.info().source},
                       {"fit", app::fit_name(static_cast<Fit>(options_.fit))},
                       {"classes", app::shares_json(shares, model_.labels)},
                       {"timing_ms",
                        {{"decode", pending.decode_ms},
                         {"prepare", frame.timing.prepare_ms},
                         {"infer", frame.timing.infer_ms},
                         {"labels", frame.timing.labels_ms},
                         {"write", write_ms}}}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// ---- All of it ---------------------------------------------------------------------------------

ExitCode VideoRun::report() {
  const Damage& damage = reader_->damage();
  if (damage.any()) {
    app::print_error(fmt::format("{}: {} damaged and {} lost frames{}{}; the rest is done",
                                 reader_->name(), damage.damaged, damage.lost,
                                 damage.unreadable ? ", a damaged container" : "",
                                 damage.truncated ? ", truncated" : ""));
  }
  if (reader_->corrected_timestamps() > 0 && !options_.quiet) {
    app::print_error(fmt::format(
        "{}: {} frames had no time stamp, or one that is not after the one before; they have a new "
        "one",
        reader_->name(), reader_->corrected_timestamps()));
  }
  if (InterruptGuard::requested()) {
    const bool kept = writer_ && done_ > 0;
    app::print_error(fmt::format("stopped by {} after {} frames{}{}", app::interrupt_name(), done_,
                                 kept ? ", which are in " : "", kept ? options_.output : ""));
    return ExitCode::kInterrupted;
  }
  if (!options_.quiet && !options_.json) {
    const Status printed = app::print_output(
        fmt::format("{}: {} frames of {}x{}, {:.1f} frames/s: {}\n", options_.output, done_, width_,
                    height_, static_cast<double>(done_) / std::max(watch_.seconds(), 1e-6),
                    app::shares_text(app::class_shares(pixels_), model_.labels)));
    if (!printed.ok()) {
      app::print_error(printed.message());
      return ExitCode::kFailed;
    }
  }
  return damage.any() || failed_ > 0 ? ExitCode::kFailed : ExitCode::kDone;
}

ExitCode VideoRun::run(Options network, const std::vector<int32_t>& classes) {
  const auto fail = [](const Status& status) {
    app::print_error(status.message());
    return ExitCode::kFailed;
  };
  const InterruptGuard interrupts("the frames in progress");
  Status opened = open_input();
  if (InterruptGuard::requested()) {
    app::print_error(fmt::format("stopped by {} before the first frame", app::interrupt_name()));
    return ExitCode::kInterrupted;
  }
  if (opened.ok()) opened = choose_canvas(network);
  if (opened.ok()) opened = open_stream(network, classes);
  if (opened.ok()) opened = open_output();
  if (!opened.ok()) return fail(opened);
  app::release_builtin_model();

  progress_.emplace(static_cast<size_t>(expected_frames()), !options_.quiet, "frames");
  watch_.restart();
  Status used;
  std::thread user([&] {
    try {
      used = use_frames();
    } catch (const std::bad_alloc&) {
      used = out_of_memory();
    }
    if (!used.ok()) stream_->cancel();
  });
  Status read;
  try {
    read = read_frames();
  } catch (const std::bad_alloc&) {
    read = out_of_memory();
  }
  stream_->finish();
  user.join();
  progress_->hide();
  progress_.reset();
  // After a failure of the other thread this one only sees the stream end.
  if (!used.ok()) return fail(used);
  if (!read.ok()) return fail(read);
  if (writer_ && done_ > 0) {
    if (const Status ended = writer_->finish(); !ended.ok()) return fail(ended);
  }
  return report();
}

}  // namespace

ExitCode run_video(const VideoOptions& options) {
  const auto fail = [](const Status& status, ExitCode code = ExitCode::kFailed) {
    app::print_error(status.message());
    return code;
  };
  const auto model = app::load_public_model(options.model, options.model_flags);
  if (!model.ok()) return fail(model.status());
  auto classes = app::find_classes(options.classes, model->labels);
  if (!classes.ok()) return fail(classes.status(), ExitCode::kUsage);
  if (classes->empty()) {
    for (int32_t id = 1; id < model->model.class_count(); ++id) classes->push_back(id);
  }
  const auto palette = app::find_palette(options.palette, model->model.class_count());
  if (!palette.ok()) return fail(palette.status());
  auto network = app::segmenter_options(*model, options.fit, options.size, options.output_stride,
                                        options.threads);
  if (!network.ok()) return fail(network.status());
  network->temporal = options.temporal;
  network->tflite = options.backend.public_options();
  return VideoRun(options, *model, *palette).run(*network, *classes);
}

}  // namespace deeplab::video
