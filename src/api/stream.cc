#include "api/stream.h"

#include <new>
#include <system_error>

namespace deeplab::api {
namespace {

/// Waits until `ready`, at most for `timeout_ms`, for ever where that is negative. False: in vain.
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

}  // namespace

Result<std::unique_ptr<Stream>> Stream::create(std::shared_ptr<const Model> model,
                                               const SegmenterOptions& options, int capacity) {
  if (capacity < 0 || capacity > kMaxCapacity) {
    return invalid_argument("stream capacity ", capacity, " is not in 0..", kMaxCapacity);
  }
  if (capacity == 0) capacity = kDefaultCapacity;
  DEEPLAB_ASSIGN_OR_RETURN(auto segmenter, Segmenter::create(std::move(model), options));
  std::unique_ptr<Stream> self(new Stream(std::move(segmenter), capacity));
  try {
    self->worker_ = std::thread([stream = self.get()] { stream->work(); });
  } catch (const std::system_error&) {
    return resource_exhausted("cannot start the stream's thread");
  }
  return self;
}

Stream::Stream(std::unique_ptr<Segmenter> segmenter, int capacity)
    : segmenter_(std::move(segmenter)),
      preparer_(segmenter_->preparer()),
      slots_(static_cast<size_t>(capacity) + 1),
      capacity_(capacity) {
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

Status Stream::push(const vision::ImageView& image, uint64_t id, int timeout_ms) {
  Slot* slot = nullptr;
  {
    std::unique_lock lock(mutex_);
    const auto can_go = [this] { return cancelled_ || no_more_ || inside_ < capacity_; };
    if (!wait(room_, lock, timeout_ms, can_go)) {
      return {StatusCode::kWouldBlock, "the stream is full: pull first, or wait longer"};
    }
    if (cancelled_ || no_more_) return ended("the stream takes no more pictures");
    slot = free_.back();  // there is one more than the capacity, for the one that is held
    free_.pop_back();
    ++inside_;
  }
  // Outside the lock: the worker and the reader go on meanwhile.
  Status status = prepare(image, id, *slot);
  const std::lock_guard lock(mutex_);
  const bool has_ended = cancelled_ || no_more_;
  if (!status.ok() || has_ended) {
    free_.push_back(slot);
    --inside_;
    room_.notify_all();
    return status.ok() ? ended("the stream has ended meanwhile") : status;
  }
  queue_.push_back(slot);
  queued_.notify_one();
  return {};
}

/// noexcept: an exception would take the slot away from the stream.
Status Stream::prepare(const vision::ImageView& image, uint64_t id, Slot& slot) noexcept {
  const auto start = std::chrono::steady_clock::now();
  try {
    DEEPLAB_RETURN_IF_ERROR(preparer_.run(image, segmenter_->input_lut(), slot.input.data()));
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
  slot.placement = preparer_.placement();
  StreamFrame& frame = slot.frame;
  frame.id = id;
  frame.status = {};
  frame.width = image.width;
  frame.height = image.height;
  frame.timing = {};
  frame.timing.prepare_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return {};
}

Result<const StreamFrame*> Stream::pull(int timeout_ms) {
  std::unique_lock lock(mutex_);
  if (held_ != nullptr) {
    free_.push_back(held_);
    held_ = nullptr;
  }
  const auto can_go = [this] { return cancelled_ || worker_ended_ || !finished_.empty(); };
  if (!wait(done_, lock, timeout_ms, can_go)) {
    return Status(StatusCode::kWouldBlock, "no picture is ready");
  }
  if (cancelled_) return ended("the stream was cancelled");
  if (finished_.empty()) return ended("all pictures have come out");
  held_ = take_first(finished_);
  --inside_;
  room_.notify_one();
  return &held_->frame;
}

void Stream::finish() {
  const std::lock_guard lock(mutex_);
  no_more_ = true;
  queued_.notify_all();
  room_.notify_all();
}

void Stream::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  queued_.notify_all();
  room_.notify_all();
  done_.notify_all();
}

void Stream::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    queued_.wait(lock, [this] { return cancelled_ || no_more_ || !queue_.empty(); });
    if (cancelled_ || queue_.empty()) break;
    Slot* slot = take_first(queue_);
    lock.unlock();
    run(*slot);
    lock.lock();
    finished_.push_back(slot);
    done_.notify_one();
  }
  worker_ended_ = true;
  done_.notify_all();
}

/// noexcept: nobody could catch it on this thread.
void Stream::run(Slot& slot) noexcept {
  StreamFrame& frame = slot.frame;
  const auto segment = [&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(segmenter_->run_prepared(slot.input, slot.placement));
    frame.mask.resize(static_cast<size_t>(frame.width) * static_cast<size_t>(frame.height));
    return segmenter_->category_mask(frame.width, frame.height, frame.mask.data(), frame.width);
  };
  try {
    frame.status = segment();
  } catch (const std::bad_alloc&) {
    frame.status = out_of_memory();
  }
  if (!frame.status.ok()) frame.mask.clear();
  frame.timing.infer_ms = segmenter_->timing().infer_ms;
  frame.timing.labels_ms = segmenter_->timing().labels_ms;
}

}  // namespace deeplab::api
