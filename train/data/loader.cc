#include "train/data/loader.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "base/stopwatch.h"
#include "train/data/augment.h"
#include "train/data/photo_store.h"
#include "train/data/rare_classes.h"
#include "train/data/sampler.h"
#include "train/data/sources.h"

namespace deeplab::train {
namespace {

void shape_batch(const LoaderOptions& options, Batch& batch) {
  const auto n = static_cast<size_t>(options.batch);
  batch.count = options.batch;
  batch.height = options.augment.crop_height;
  batch.width = options.augment.crop_width;
  const size_t area = static_cast<size_t>(batch.height) * static_cast<size_t>(batch.width);
  batch.pixels.resize(n * area * 3);
  batch.labels.resize(n * area);
  batch.has_mask.resize(n);
  batch.content_height.resize(n);
  batch.content_width.resize(n);
  batch.sample_index.resize(n);
  batch.item.resize(n);
}

}  // namespace

/// Not base/ordered_work.h: that runs over a known number of items while its caller waits, and
/// hands results out by itself. Here the samples never end, the consumer takes a batch when it
/// wants one, several workers fill one batch, and no more than `prefetch` batches are begun.
struct Loader::Impl {
  /// A batch in the making.
  struct Slot {
    Batch batch;
    int32_t claimed = 0;
    int32_t done = 0;
    int32_t failed_at = 0;  ///< Among several errors the first sample's counts.
    Status error;
  };
  /// One sample's work.
  struct Task {
    Slot* slot = nullptr;
    int32_t place = 0;
    int64_t sample = 0;
    int64_t item = 0;
  };

  Impl(const LoaderOptions& given, ItemList&& photos)
      : options(given), list(std::move(photos)), store(options, list) {}

  void start();
  void stop();
  void work();
  bool claim(Task& task, std::unique_lock<std::mutex>& lock);
  Status make_sample(const Task& task, Augmenter& augmenter);
  std::unique_ptr<Slot> new_slot();

  const LoaderOptions options;
  const ItemList list;
  PhotoStore store;
  std::unique_ptr<Sampler> sampler;
  std::vector<std::thread> workers;

  std::mutex mutex;
  std::condition_variable work_wanted;      ///< Workers wait here.
  std::condition_variable batch_ready;      ///< The consumer does.
  std::deque<std::unique_ptr<Slot>> slots;  ///< Steps next_step, next_step + 1, ...
  std::vector<Batch> spare;
  int64_t next_step = 0;
  bool stopping = false;
  Status failure;  ///< What next() gives from now on.
  double waited = 0;
};

std::unique_ptr<Loader::Impl::Slot> Loader::Impl::new_slot() {
  auto slot = std::make_unique<Slot>();
  if (!spare.empty()) {
    slot->batch = std::move(spare.back());
    spare.pop_back();
  }
  return slot;
}

bool Loader::Impl::claim(Task& task, std::unique_lock<std::mutex>& lock) {
  while (!stopping) {
    for (size_t s = 0; s < slots.size() || s < static_cast<size_t>(options.prefetch); ++s) {
      if (s == slots.size()) {
        slots.push_back(new_slot());
        shape_batch(options, slots.back()->batch);
      }
      Slot& slot = *slots[s];
      if (slot.claimed == options.batch) continue;
      task.slot = &slot;
      task.place = slot.claimed++;
      const int64_t step = next_step + static_cast<int64_t>(s);
      task.sample = (step * options.world + options.rank) * options.batch + task.place;
      task.item = sampler->item(task.sample);
      return true;
    }
    work_wanted.wait(lock);
  }
  return false;
}

Status Loader::Impl::make_sample(const Task& task, Augmenter& augmenter) {
  Batch& batch = task.slot->batch;
  const auto place = static_cast<size_t>(task.place);
  const size_t area = static_cast<size_t>(batch.height) * static_cast<size_t>(batch.width);
  DEEPLAB_ASSIGN_OR_RETURN(const auto photo, store.photo(task.item));
  DEEPLAB_ASSIGN_OR_RETURN(const auto mask, store.mask(task.item, *photo));
  batch.sample_index[place] = task.sample;
  batch.item[place] = task.item;
  batch.has_mask[place] = mask != nullptr;
  const Variation variation = draw_variation(options.seed, task.sample, options.augment);
  const Crop placement =
      place_crop(photo->original_width, photo->original_height, variation, options.augment);
  batch.content_height[place] = placement.y.size;
  batch.content_width[place] = placement.x.size;
  return annotate(
      augmenter.render(*photo, mask.get(), variation, batch.pixels.data() + place * area * 3,
                       batch.labels.data() + place * area),
      list.items[static_cast<size_t>(task.item)].photo_path);
}

void Loader::Impl::work() {
  Augmenter augmenter(options.augment);
  std::unique_lock lock(mutex);
  Task task;
  while (claim(task, lock)) {
    lock.unlock();
    Status status;
    try {
      status = make_sample(task, augmenter);
    } catch (const std::bad_alloc&) {
      status = resource_exhausted(list.items[static_cast<size_t>(task.item)].photo_path,
                                  ": not enough memory to prepare a sample");
    }
    lock.lock();
    Slot& slot = *task.slot;
    if (!status.ok() && (slot.error.ok() || task.place < slot.failed_at)) {
      slot.error = std::move(status);
      slot.failed_at = task.place;
    }
    if (++slot.done == options.batch) batch_ready.notify_one();
  }
}

void Loader::Impl::start() {
  for (int i = 0; i < options.threads; ++i) workers.emplace_back([this] { work(); });
}

void Loader::Impl::stop() {
  {
    const std::lock_guard lock(mutex);
    stopping = true;
  }
  work_wanted.notify_all();
  for (std::thread& worker : workers) worker.join();
  workers.clear();
}

Result<std::unique_ptr<Loader>> Loader::create(const LoaderOptions& options) {
  DEEPLAB_RETURN_IF_ERROR(validate(options));
  DEEPLAB_ASSIGN_OR_RETURN(ItemList list, list_photos(options.sources));
  auto impl = std::make_unique<Impl>(options, std::move(list));
  std::vector<double> source_weights;
  for (const SourceOptions& source : options.sources) source_weights.push_back(source.weight);
  std::vector<double> item_weights;
  if (options.rare_class_power > 0) {
    DEEPLAB_ASSIGN_OR_RETURN(item_weights, rare_class_weights(options, impl->list, impl->store));
  }
  impl->sampler =
      std::make_unique<Sampler>(options.seed, impl->list.sources, source_weights, item_weights);
  impl->next_step = options.first_step;
  std::unique_ptr<Loader> loader(new Loader(std::move(impl)));
  try {
    loader->impl_->start();
  } catch (const std::system_error& error) {
    return resource_exhausted("cannot start ", options.threads, " loader threads: ", error.what());
  }
  return loader;
}

Loader::Loader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Loader::~Loader() { impl_->stop(); }

Result<Batch> Loader::next() {
  Impl& impl = *impl_;
  std::unique_lock lock(impl.mutex);
  if (!impl.failure.ok()) return impl.failure;
  const auto ready = [&] {
    return !impl.slots.empty() && impl.slots.front()->done == impl.options.batch;
  };
  if (!ready()) {
    const Stopwatch watch;
    impl.batch_ready.wait(lock, ready);
    impl.waited += watch.seconds();
  }
  const std::unique_ptr<Impl::Slot> slot = std::move(impl.slots.front());
  impl.slots.pop_front();
  ++impl.next_step;
  if (!slot->error.ok()) {
    impl.failure = slot->error;
    impl.stopping = true;
  }
  lock.unlock();
  impl.work_wanted.notify_all();
  if (!slot->error.ok()) return slot->error;
  return std::move(slot->batch);
}

void Loader::recycle(Batch batch) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->spare.size() < static_cast<size_t>(impl_->options.prefetch)) {
    impl_->spare.push_back(std::move(batch));
  }
}

double Loader::seconds_waited() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->waited;
}

}  // namespace deeplab::train
