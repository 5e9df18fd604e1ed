// Memory that runs out at every single request of load, prepare and run, through the C interface
// and the C++ one. campaign.h says what must hold each time.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "api/model.h"
#include "base/file.h"
#include "deeplab/deeplab.hpp"
#include "tests/api/test_models.h"
#include "tests/faults/campaign.h"

namespace deeplab::testing {
namespace {

const char* const kModel = kInt8FloatIo.c_str();
constexpr int32_t kSide = 33;  // of the canvas

#define RETURN_IF_FAILED(call)                                \
  if (const deeplab_status code = (call); code != DEEPLAB_OK) \
  return failed(code, deeplab_last_error())

/// What a child process says by its exit status.
int run_in_child(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// ---- The C interface -------------------------------------------------------------------------

Outcome outcome_of_model(const deeplab_model* model) {
  Outcome outcome;
  Digest digest;
  for (int32_t id = 0; id < deeplab_model_class_count(model); ++id) {
    const char* label = deeplab_model_label(model, id);
    digest.add(label, std::strlen(label) + 1);
  }
  int32_t size[2] = {0, 0};
  deeplab_model_input_size(model, &size[0], &size[1]);
  outcome.digest = digest.add(size, 2).value();
  return outcome;
}

class LoadFile : public Subject {
 public:
  Outcome call() override {
    deeplab_model* model = nullptr;
    RETURN_IF_FAILED(deeplab_model_load_file(kModel, &model));
    const Outcome outcome = outcome_of_model(model);
    deeplab_model_free(model);
    return outcome;
  }
};

class LoadMemory : public Subject {
 public:
  explicit LoadMemory(const std::vector<std::byte>& bytes) : bytes_(bytes) {}
  Outcome call() override {
    deeplab_model* model = nullptr;
    RETURN_IF_FAILED(deeplab_model_load_memory(bytes_.data(), bytes_.size(), &model));
    const Outcome outcome = outcome_of_model(model);
    deeplab_model_free(model);
    return outcome;
  }

 private:
  const std::vector<std::byte>& bytes_;
};

/// A model that is part of the program is loaded by the command only, not through an interface
/// that stops exceptions; main() does that.
class LoadStatic : public Subject {
 public:
  explicit LoadStatic(const std::vector<std::byte>& bytes) : bytes_(bytes) {}
  Outcome call() override try {
    const auto model = api::Model::parse_static(bytes_, "the built-in model");
    if (!model.ok()) {
      const Status status = model.status();
      return failed(static_cast<deeplab_status>(status.code()), status.message().c_str());
    }
    Outcome outcome;
    Digest digest;
    for (const std::string& label : (*model)->labels()) digest.add(label.data(), label.size());
    outcome.digest = digest.value();
    return outcome;
  } catch (const std::bad_alloc& error) {
    return failed(DEEPLAB_RESOURCE_EXHAUSTED, error.what());
  }

 private:
  const std::vector<std::byte>& bytes_;
};

deeplab_segmenter_options small_canvas(int32_t threads) {
  deeplab_segmenter_options options;
  deeplab_segmenter_options_init(&options, sizeof(options));
  options.threads = threads;
  options.width = options.height = kSide;
  return options;
}

struct Picture {
  int32_t width, height;
  std::vector<uint8_t> pixels = synthetic_photo(width, height);
  mutable std::vector<uint8_t> mask = std::vector<uint8_t>(pixels.size() / 3);
  mutable std::vector<float> confidence = std::vector<float>(pixels.size() / 3);

  deeplab_image image() const {
    deeplab_image result;
    deeplab_image_init(&result, sizeof(result));
    result.planes[0] = pixels.data();
    result.strides[0] = ptrdiff_t{3} * width;
    result.width = width;
    result.height = height;
    return result;
  }
};

const Picture& small_picture() {
  static const Picture picture{30, 20};
  return picture;
}
const Picture& large_picture() {
  static const Picture picture{90, 70};
  return picture;
}

Outcome segment(deeplab_segmenter* segmenter, const Picture& picture) {
  const deeplab_image image = picture.image();
  RETURN_IF_FAILED(deeplab_segmenter_run(segmenter, &image, nullptr));
  RETURN_IF_FAILED(deeplab_segmenter_category_mask(segmenter, picture.width, picture.height,
                                                   picture.mask.data(), picture.width));
  const int32_t background = 0;
  RETURN_IF_FAILED(deeplab_segmenter_confidence_mask(
      segmenter, &background, 1, picture.width, picture.height, picture.confidence.data(),
      ptrdiff_t{picture.width} * static_cast<ptrdiff_t>(sizeof(float))));
  const float* scores = nullptr;
  int32_t width = 0, height = 0, classes = 0;
  RETURN_IF_FAILED(deeplab_segmenter_scores(segmenter, &scores, &width, &height, &classes));
  Digest digest;
  digest.add(picture.mask.data(), picture.mask.size());
  digest.add(picture.confidence.data(), picture.confidence.size());
  digest.add(scores, static_cast<size_t>(width * height * classes));
  Outcome outcome;
  outcome.digest = digest.value();
  return outcome;
}

// Threads of a network wait by spinning, which costs a test minutes on a machine whose cores others
// use. So pictures go through one thread, except if memory depends on how many there are.

/// Prepare, and, with one thread, a first picture, whose digest says whether the segmenter is
/// right.
class Create : public Subject {
 public:
  Create(const deeplab_model* model, int32_t threads)
      : model_(model), options_(small_canvas(threads)) {}
  Outcome call() override {
    deeplab_segmenter* segmenter = nullptr;
    RETURN_IF_FAILED(deeplab_segmenter_create(model_, &options_, &segmenter));
    Outcome outcome;
    if (options_.threads == 1) outcome = segment(segmenter, small_picture());
    deeplab_segmenter_free(segmenter);
    return outcome;
  }

 private:
  const deeplab_model* model_;
  deeplab_segmenter_options options_;
};

/// A picture to a segmenter that has seen others, or none.
class RunPicture : public Subject {
 public:
  RunPicture(const deeplab_model* model, int32_t threads, const std::vector<const Picture*>& before,
             const Picture& picture)
      : picture_(picture) {
    const deeplab_segmenter_options options = small_canvas(threads);
    if (deeplab_segmenter_create(model, &options, &segmenter_) != DEEPLAB_OK) std::abort();
    for (const Picture* each : before) {
      if (segment(segmenter_, *each).code != DEEPLAB_OK) std::abort();
    }
  }
  ~RunPicture() override { deeplab_segmenter_free(segmenter_); }
  Outcome call() override { return segment(segmenter_, picture_); }

 private:
  deeplab_segmenter* segmenter_ = nullptr;
  const Picture& picture_;
};

/// Pictures through a stream, one at a time, so that requests come in the same order each time.
Outcome stream_through(deeplab_stream* stream, const std::vector<const Picture*>& pictures) {
  Digest digest;
  Outcome first_error;
  for (const Picture* picture : pictures) {
    const deeplab_image image = picture->image();
    RETURN_IF_FAILED(deeplab_stream_push(stream, &image, 7, -1));
    deeplab_frame* frame = nullptr;
    RETURN_IF_FAILED(deeplab_stream_pull(stream, &frame, -1));
    deeplab_frame_info info = {};
    info.struct_size = sizeof(info);
    RETURN_IF_FAILED(deeplab_frame_get_info(frame, &info));
    if (info.status != DEEPLAB_OK) {
      first_error = failed(static_cast<deeplab_status>(info.status), info.error);
    } else {
      digest.add(info.category_mask, picture->mask.size());
    }
    deeplab_frame_free(frame);
  }
  if (first_error.code != DEEPLAB_OK) return first_error;
  Outcome outcome;
  outcome.digest = digest.value();
  return outcome;
}

const std::vector<const Picture*>& stream_pictures() {
  static const std::vector<const Picture*> pictures = {&small_picture(), &large_picture(),
                                                       &small_picture()};
  return pictures;
}

deeplab_status create_stream(const deeplab_model* model, const deeplab_segmenter_options& options,
                             int32_t capacity, deeplab_stream** stream) {
  deeplab_stream_options stream_options;
  deeplab_stream_options_init(&stream_options, sizeof(stream_options));
  stream_options.segmenter = &options;
  stream_options.capacity = capacity;
  return deeplab_stream_create(model, &stream_options, stream);
}

class CreateStream : public Subject {
 public:
  CreateStream(const deeplab_model* model, int32_t threads)
      : model_(model), options_(small_canvas(threads)) {}
  Outcome call() override {
    deeplab_stream* stream = nullptr;
    RETURN_IF_FAILED(create_stream(model_, options_, 2, &stream));
    const Outcome outcome = stream_through(stream, stream_pictures());
    deeplab_stream_free(stream);
    return outcome;
  }

 private:
  const deeplab_model* model_;
  deeplab_segmenter_options options_;
};

class PushAndPull : public Subject {
 public:
  PushAndPull(const deeplab_model* model, int32_t threads) {
    const deeplab_segmenter_options options = small_canvas(threads);
    if (create_stream(model, options, 1, &stream_) != DEEPLAB_OK) std::abort();
  }
  ~PushAndPull() override { deeplab_stream_free(stream_); }
  Outcome call() override { return stream_through(stream_, stream_pictures()); }

 private:
  deeplab_stream* stream_ = nullptr;
};

// ---- The C++ interface -----------------------------------------------------------------------

/// All of it: load, create, segment, and a stream.
class CppInterface : public Subject {
 public:
  Outcome call() override {
    const auto model = Model::load(path_);
    if (!model.ok()) return error_of(model);
    Options options;
    options.width = options.height = kSide;
    options.threads = 2;
    const auto with_pool = Segmenter::create(*model, options);
    if (!with_pool.ok()) return error_of(with_pool);
    options.threads = 1;
    auto segmenter = Segmenter::create(*model, options);
    if (!segmenter.ok()) return error_of(segmenter);
    const Picture& picture = large_picture();
    const ImageView view{picture.pixels.data(), picture.width, picture.height,
                         ptrdiff_t{3} * picture.width};
    const auto segmentation = segmenter->segment(view);
    if (!segmentation.ok()) return error_of(segmentation);
    auto stream = Stream::create(*model, options);
    if (!stream.ok()) return error_of(stream);
    const Status pushed = stream->push(view);
    if (!pushed.ok()) return error_of(pushed);
    const auto frame = stream->pull();
    if (!frame.ok()) return error_of(frame);
    if (!frame->status.ok()) return error_of(frame->status);
    Outcome outcome;
    Digest digest;
    digest.add(segmentation->category_mask.data(), segmentation->category_mask.size());
    outcome.digest = digest.add(frame->category_mask.data(), frame->category_mask.size()).value();
    return outcome;
  }

 private:
  static Outcome error_of(const Status& status) {
    return failed(static_cast<deeplab_status>(status.code()), status.message().c_str());
  }
  template <typename T>
  static Outcome error_of(const Result<T>& result) {
    // status() copies the sentence, which needs memory; a caller's own affair.
    try {
      return error_of(result.status());
    } catch (const std::bad_alloc&) {
      return failed(DEEPLAB_RESOURCE_EXHAUSTED, "no memory to copy the sentence");
    }
  }
  const std::string path_ = kModel;
};

// ---- The campaign ----------------------------------------------------------------------------

class Memory : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    bytes_ = new std::vector<std::byte>(*read_file(kModel, int64_t{1} << 30));
    ASSERT_EQ(deeplab_model_load_memory(bytes_->data(), bytes_->size(), &model_), DEEPLAB_OK);
    small_picture();
    stream_pictures();
  }
  static void TearDownTestSuite() {
    deeplab_model_free(model_);
    delete bytes_;
  }
  static std::vector<std::byte>* bytes_;
  static deeplab_model* model_;
};
std::vector<std::byte>* Memory::bytes_ = nullptr;
deeplab_model* Memory::model_ = nullptr;

/// From a process's first call on, each time in a process of its own: what is made at first use,
/// once per process or once per thread, has its faults, too.
TEST(FirstUse, OfTheWholeLibraryInAProcess) {
  small_picture();
  large_picture();
  // The child's results come back through memory that both see.
  struct Shared {
    uint64_t digest;
    int64_t sites[4096];
    size_t count;
  };
  void* memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& shared = *static_cast<Shared*>(memory);
  ASSERT_EQ(run_in_child([&] {
              CppInterface subject;
              const auto sites = sites_of(subject, shared.digest);
              shared.count = std::min(sites.size(), std::size(shared.sites));
              std::copy_n(sites.begin(), shared.count, shared.sites);
              return shared.digest != 0 ? 0 : 1;
            }),
            0);
  ASSERT_GT(shared.count, 100u);
  int64_t errors = 0, recovered = 0;
  for (size_t i = 0; i < shared.count; i += kStepOfLarge) {
    // Alternating, since one process per fault takes its time.
    const Failing failing = i / kStepOfLarge % 2 == 0 ? Failing::kOne : Failing::kAllFrom;
    const int status = run_in_child([&] {
      CppInterface subject;
      bool has_failed = false;
      const Outcome outcome = call_with_fault(subject, failing, shared.sites[i], has_failed);
      const Outcome again = subject.call();
      if (outcome.threw || again.code != DEEPLAB_OK || again.digest != shared.digest) return 3;
      if (outcome.code == DEEPLAB_OK) return outcome.digest == shared.digest ? 1 : 3;
      return outcome.code == DEEPLAB_RESOURCE_EXHAUSTED && outcome.sentence[0] != '\0' ? 2 : 3;
    });
    EXPECT_TRUE(status == 1 || status == 2) << "request " << shared.sites[i] << ": " << status;
    errors += status == 2;
    recovered += status == 1;
  }
  std::printf("%-26s %-9s %6zu sites: %6lld clean errors, %4lld recovered\n", "first use", "either",
              (shared.count + kStepOfLarge - 1) / kStepOfLarge, (long long)errors,
              (long long)recovered);
  ::munmap(memory, sizeof(Shared));
}

TEST_F(Memory, LoadFile) {
  campaign("load file", [] { return std::make_unique<LoadFile>(); });
}

TEST_F(Memory, LoadMemory) {
  campaign("load memory", [] { return std::make_unique<LoadMemory>(*bytes_); });
}

TEST_F(Memory, LoadStatic) {
  campaign("load built-in", [] { return std::make_unique<LoadStatic>(*bytes_); });
}

TEST_F(Memory, CreateSegmenter) {
  campaign("segmenter, 1 thread", [] { return std::make_unique<Create>(model_, 1); });
  campaign("segmenter, 2 threads", [] { return std::make_unique<Create>(model_, 2); });
}

TEST_F(Memory, Run) {
  using Pictures = std::vector<const Picture*>;
  campaign("first picture",
           [] { return std::make_unique<RunPicture>(model_, 1, Pictures{}, small_picture()); });
  campaign("picture of the same size", [] {
    return std::make_unique<RunPicture>(model_, 1, Pictures{&large_picture()}, large_picture());
  });
  campaign("first, 2 threads",
           [] { return std::make_unique<RunPicture>(model_, 2, Pictures{}, small_picture()); });
  campaign("picture of a new size", [] {
    return std::make_unique<RunPicture>(model_, 1, Pictures{&small_picture()}, large_picture());
  });
}

TEST_F(Memory, CreateStream) {
  campaign("stream", [] { return std::make_unique<CreateStream>(model_, 1); });
}

TEST_F(Memory, PushAndPull) {
  campaign("push and pull", [] { return std::make_unique<PushAndPull>(model_, 1); });
}

TEST_F(Memory, CppInterface) {
  campaign(
      "the C++ interface", [] { return std::make_unique<CppInterface>(); }, kStepOfLarge);
}

}  // namespace
}  // namespace deeplab::testing
