#include "api/stream.h"

#include <new>
#include <system_error>

#include "base/stopwatch.h"

namespace deeplab::api {
namespace {

/// Waits until `ready`, at most for `timeout_ms`; without limit if that is negative. False: timed
/// out.
template <typename Ready>
bool wait(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, int timeout_ms,
          const Ready& ready) {
  if (timeout_ms < 0) {
    condition.wait(lock, ready);
    return true;
  }
  return condition.wait_for(lock, std::chrono::milliseconds(timeout_ms), ready);
}

template <typename T>
T take_first(std::vector<T>& queue) {
  const T first = queue.front();
  queue.erase(queue.begin());  // of a handful
  return first;
}

Status ended(const char* why) { return {StatusCode::kStreamEnded, why}; }
Status flushed() { return {StatusCode::kCancelled, "the stream was flushed"}; }

Status check_options(const StreamOptions& options, const Model& model) {
  if (options.capacity < 0 || options.capacity > Stream::kMaxCapacity) {
    return invalid_argument("stream capacity ", options.capacity, " is not in 0..",
                            Stream::kMaxCapacity);
  }
  if (options.mask_width != 0 || options.mask_height != 0) {
    DEEPLAB_RETURN_IF_ERROR(
        vision::validate_size(options.mask_width, options.mask_height, "stream's mask"));
  }
  if (options.confidence != StreamOptions::Confidence::kSet) return {};
  std::vector<bool> is_named(static_cast<size_t>(model.class_count()));
  for (const int32_t id : options.class_ids) {
    if (id < 0 || id >= model.class_count()) {
      return invalid_argument("stream: class ", id, " is not in 0..", model.class_count() - 1);
    }
    if (is_named[static_cast<size_t>(id)]) {
      return invalid_argument("stream: class ", id, " is named twice");
    }
    is_named[static_cast<size_t>(id)] = true;
  }
  return {};
}

}  // namespace

std::unique_ptr<StreamFrame> FrameStore::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!frames_.empty()) {
      std::unique_ptr<StreamFrame> frame = std::move(frames_.back());
      frames_.pop_back();
      return frame;
    }
  }
  return std::make_unique<StreamFrame>();
}

void FrameStore::give_back(std::unique_ptr<StreamFrame> frame) noexcept {
  const std::shared_ptr<FrameStore> store = std::move(frame->store);  // no circle
  const std::lock_guard lock(store->mutex_);
  if (store->frames_.size() < store->frames_.capacity()) {
    store->frames_.push_back(std::move(frame));
  }
}

Result<std::unique_ptr<Stream>> Stream::create(std::shared_ptr<const Model> model,
                                               const SegmenterOptions& options,
                                               StreamOptions stream_options) {
  DEEPLAB_RETURN_IF_ERROR(check_options(stream_options, *model));
  if (stream_options.capacity == 0) stream_options.capacity = kDefaultCapacity;
  DEEPLAB_ASSIGN_OR_RETURN(auto segmenter, Segmenter::create(std::move(model), options));
  std::unique_ptr<Stream> self(new Stream(std::move(segmenter), std::move(stream_options)));
  try {
    self->worker_ = std::thread([stream = self.get()] { stream->work(); });
  } catch (const std::system_error&) {
    return resource_exhausted("cannot start the stream's thread");
  }
  return self;
}

Stream::Stream(std::unique_ptr<Segmenter> segmenter, StreamOptions options)
    : segmenter_(std::move(segmenter)),
      preparer_(segmenter_->preparer()),
      options_(std::move(options)),
      slots_(static_cast<size_t>(options_.capacity)),
      store_(std::make_shared<FrameStore>(slots_.size())) {
  // Room for all, now: a picture that is on its way from one to the next cannot fail.
  for (std::vector<Slot*>* slots : {&free_, &queue_, &finished_}) slots->reserve(slots_.size());
  for (Slot& slot : slots_) {
    slot.input.resize(segmenter_->input_bytes());
    free_.push_back(&slot);
  }
}

Stream::~Stream() {
  cancel();
  if (worker_.joinable()) worker_.join();
}

Status Stream::push(const vision::PictureView& picture, uint64_t id, int timeout_ms) {
  Slot* slot = nullptr;
  {
    std::unique_lock lock(mutex_);
    const uint64_t before = flushes_;
    // A picture that was flushed out of the network's hands still has its slot for a moment.
    const auto can_go = [&] {
      return cancelled_ || no_more_ || flushes_ != before ||
             (inside_ < options_.capacity && !free_.empty());
    };
    if (!wait(room_, lock, timeout_ms, can_go)) {
      return {StatusCode::kWouldBlock, "the stream is full: pull first, or wait longer"};
    }
    if (cancelled_ || no_more_) return ended("the stream takes no more pictures");
    if (flushes_ != before) return flushed();
    slot = free_.back();
    free_.pop_back();
    slot->flushes = flushes_;
    ++inside_;
  }
  // Outside the lock: the worker and the reader continue meanwhile.
  Status status = prepare(picture, id, *slot);
  const std::lock_guard lock(mutex_);
  if (slot->flushes != flushes_) {  // flush() has taken it out of the count
    if (status.ok()) status = flushed();
  } else {
    if (status.ok() && (cancelled_ || no_more_)) status = ended("the stream has ended meanwhile");
    if (!status.ok()) --inside_;
  }
  if (!status.ok()) {
    drop(slot);
    done_.notify_all();  // a finished stream may be empty now
    return status;
  }
  queue_.push_back(slot);
  queued_.notify_one();
  return {};
}

/// noexcept: an exception would take the slot away from the stream.
Status Stream::prepare(const vision::PictureView& picture, uint64_t id, Slot& slot) noexcept {
  const Stopwatch watch;
  try {
    DEEPLAB_RETURN_IF_ERROR(preparer_.run(picture, segmenter_->input_lut(), slot.input.data()));
    if (slot.frame == nullptr) slot.frame = store_->take();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
  slot.placement = preparer_.placement();
  StreamFrame& frame = *slot.frame;
  frame.id = id;
  frame.status = {};
  frame.width = picture.width();
  frame.height = picture.height();
  frame.timing = {};
  frame.timing.prepare_ms = watch.milliseconds();
  return {};
}

Result<std::unique_ptr<StreamFrame>> Stream::pull(int timeout_ms) {
  std::unique_lock lock(mutex_);
  const uint64_t before = flushes_;
  const auto can_go = [&] {
    return cancelled_ || flushes_ != before || !finished_.empty() || (no_more_ && inside_ == 0);
  };
  if (!wait(done_, lock, timeout_ms, can_go)) {
    return Status(StatusCode::kWouldBlock, "no picture is ready");
  }
  if (cancelled_) return ended("the stream was cancelled");
  if (flushes_ != before) return flushed();
  if (finished_.empty()) return ended("all pictures have come out");
  Slot* slot = take_first(finished_);
  std::unique_ptr<StreamFrame> frame = std::move(slot->frame);
  frame->store = store_;
  --inside_;
  drop(slot);
  return frame;
}

/// Called with the lock: a slot that is of no more use. Its frame stays for its next picture.
void Stream::drop(Slot* slot) {
  free_.push_back(slot);
  room_.notify_all();
}

void Stream::finish() {
  const std::lock_guard lock(mutex_);
  no_more_ = true;
  room_.notify_all();
  done_.notify_all();
}

void Stream::flush() {
  const std::lock_guard lock(mutex_);
  ++flushes_;
  no_more_ = false;
  inside_ = 0;
  stop_run_ = true;
  for (std::vector<Slot*>* slots : {&queue_, &finished_}) {
    for (Slot* slot : *slots) drop(slot);
    slots->clear();
  }
  room_.notify_all();
  done_.notify_all();
}

void Stream::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  stop_run_ = true;
  queued_.notify_all();
  room_.notify_all();
  done_.notify_all();
}

void Stream::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    queued_.wait(lock, [this] { return cancelled_ || !queue_.empty(); });
    if (cancelled_) return;
    Slot* slot = take_first(queue_);
    stop_run_ = false;
    lock.unlock();
    run(*slot);
    lock.lock();
    if (slot->flushes != flushes_) {
      drop(slot);
      continue;
    }
    finished_.push_back(slot);
    done_.notify_one();
  }
}

/// noexcept: nobody could catch it on this thread.
void Stream::run(Slot& slot) noexcept {
  StreamFrame& frame = *slot.frame;
  const auto segment = [&]() -> Status {
    RunControl control;
    control.context = &stop_run_;
    control.should_stop = [](void* stop) { return static_cast<std::atomic<bool>*>(stop)->load(); };
    if (slot.flushes != sequence_) segmenter_->reset();
    sequence_ = slot.flushes;
    DEEPLAB_RETURN_IF_ERROR(segmenter_->run_prepared(slot.input, slot.placement, control));
    return make_masks(frame);
  };
  try {
    frame.status = segment();
  } catch (const std::bad_alloc&) {
    frame.status = out_of_memory();
  }
  if (!frame.status.ok()) {
    frame.mask.clear();
    frame.confidence.clear();
    frame.mask_width = frame.mask_height = frame.confidence_count = 0;
  }
  frame.timing.infer_ms = segmenter_->timing().infer_ms;
}

Status Stream::make_masks(StreamFrame& frame) {
  const Stopwatch watch;
  const bool is_own_size = options_.mask_width == 0;
  const int32_t width = frame.mask_width = is_own_size ? frame.width : options_.mask_width;
  const int32_t height = frame.mask_height = is_own_size ? frame.height : options_.mask_height;
  const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
  if (options_.category_mask) {
    frame.mask.resize(pixels);
    DEEPLAB_RETURN_IF_ERROR(segmenter_->category_mask(width, height, frame.mask.data(), width));
  }
  switch (options_.confidence) {
    case StreamOptions::Confidence::kNone:
      break;
    case StreamOptions::Confidence::kSet:
      frame.confidence_count = 1;
      frame.confidence.resize(pixels);
      DEEPLAB_RETURN_IF_ERROR(
          segmenter_->confidence_mask(options_.class_ids, width, height, frame.confidence.data(),
                                      static_cast<ptrdiff_t>(sizeof(float)) * width));
      break;
    case StreamOptions::Confidence::kAll:
      frame.confidence_count = segmenter_->model().class_count();
      frame.confidence.resize(pixels * static_cast<size_t>(frame.confidence_count));
      DEEPLAB_RETURN_IF_ERROR(
          segmenter_->all_confidences(width, height, 0, height, frame.confidence.data()));
      break;
  }
  frame.timing.labels_ms = watch.milliseconds();
  return {};
}

}  // namespace deeplab::api
