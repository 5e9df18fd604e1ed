// deeplab.h as any caller may use it: the input is a list of calls with their arguments, in any
// order, among them NULL if the header allows it, sizes and strides out of range, enums that do
// not exist, and models and options made of the input's bytes.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "deeplab/deeplab.h"
#include "deeplab/deeplab_draw.h"
#include "fuzz/target.h"
#include "tests/graph/graph_builder.h"
#include "tflite/writer.h"

namespace deeplab::fuzz {
namespace {

struct Freer {
  void operator()(deeplab_model* p) const { deeplab_model_free(p); }
  void operator()(deeplab_segmenter* p) const { deeplab_segmenter_free(p); }
  void operator()(deeplab_stream* p) const { deeplab_stream_free(p); }
  void operator()(deeplab_frame* p) const { deeplab_frame_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Freer>;

constexpr int kMostCalls = 24;

/// The miniature DeepLab of the tests on a small canvas, as a file.
std::vector<std::byte> model_file(graph::DataType type) {
  tflite::ModelFile file;
  file.graph = testing::small_deeplab(type);
  require(graph::resize_input(file.graph, 17, 17).ok(), "the network follows the canvas");
  const auto bytes = tflite::write_model(file);
  require(bytes.ok(), "the network can be written");
  return *bytes;
}

const std::vector<std::byte>& good_file(size_t which) {
  static const std::vector<std::byte> files[] = {model_file(graph::DataType::kUInt8),
                                                 model_file(graph::DataType::kInt8),
                                                 model_file(graph::DataType::kFloat32)};
  return files[which % 3];
}

/// Models are read once; what an input loads itself comes on top.
const deeplab_model* good_model(size_t which) {
  static std::vector<Owned<deeplab_model>> models(3);
  Owned<deeplab_model>& model = models[which % 3];
  if (model == nullptr) {
    deeplab_model* loaded = nullptr;
    const auto& file = good_file(which);
    require(deeplab_model_load_memory(file.data(), file.size(), &loaded) == DEEPLAB_OK, "it loads");
    model.reset(loaded);
  }
  return model.get();
}

class Caller {
 public:
  explicit Caller(Decisions& in) : in_(in) {}

  void call() {
    switch (in_.byte() % 16) {
      case 0:
        return load();
      case 1:
        return ask_model();
      case 2:
      case 3:
        return create_segmenter();
      case 4:
      case 5:
      case 6:
        return run();
      case 7:
      case 8:
        return category_mask();
      case 9:
        return confidence_mask();
      case 10:
        return scores();
      case 11:
        segmenter_.reset();
        return;
      case 12:
        return create_stream();
      case 13:
        return push();
      case 14:
        return pull();
      default:
        return end_stream();
    }
  }

 private:
  void check(deeplab_status status) {
    if (status == DEEPLAB_OK) return;
    require(status != DEEPLAB_INTERNAL, "no call fails for a bug of ours");
    require(std::strlen(deeplab_last_error()) > 5, "a failure has a sentence");
  }

  /// A number that may be out of any range.
  int32_t any_number() {
    constexpr int32_t kEdges[] = {0, -1, INT32_MIN, INT32_MAX, 65535, 65536, 1 << 30, 255};
    return in_.byte() % 4 == 0 ? in_.one_of(kEdges) : in_.between(0, 40);
  }
  float any_float() {
    const uint32_t bits = in_.word();
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  const deeplab_model* model() {
    const uint8_t which = in_.byte() % 8;
    if (which == 7) return nullptr;
    if (which >= 5 && loaded_ != nullptr) return loaded_.get();
    return good_model(which);
  }

  void load() {
    std::vector<std::byte> file = good_file(in_.byte());
    const int changes = in_.between(0, 3);
    for (int i = 0; i < changes; ++i) {
      const size_t at = (in_.byte() | size_t{in_.byte()} << 8) % file.size();
      file[at] = static_cast<std::byte>(in_.byte());
    }
    if (in_.byte() % 8 == 0) file.resize(in_.word() % (file.size() + 1));
    deeplab_model* model = nullptr;
    const deeplab_status status =
        deeplab_model_load_memory(in_.byte() % 16 == 0 ? nullptr : file.data(), file.size(),
                                  in_.byte() % 16 == 0 ? nullptr : &model);
    check(status);
    require(status == DEEPLAB_OK || model == nullptr, "no model if loading failed");
    loaded_.reset(model);
    check(deeplab_model_load_file(in_.flag() ? nullptr : "", in_.flag() ? nullptr : &model));
  }

  void ask_model() {
    const deeplab_model* m = model();
    const int32_t classes = deeplab_model_class_count(m);
    const int32_t id = any_number();
    const char* label = deeplab_model_label(m, id);
    require((label != nullptr) == (id >= 0 && id < classes), "every class has a label, no other");
    int32_t width = -1, height = -1;
    deeplab_model_input_size(m, in_.flag() ? nullptr : &width, in_.flag() ? nullptr : &height);
    uint8_t rgb[3];
    deeplab_class_color(id, rgb);
  }

  deeplab_segmenter_options options() {
    deeplab_segmenter_options o;
    deeplab_segmenter_options_init(&o, sizeof o);
    o.threads = 1;
    if (in_.byte() % 8 == 0) o.max_memory_bytes = any_number();
    if (in_.byte() % 8 == 0) o.max_macs = any_number();
    if (in_.byte() % 16 == 0) o.threads = any_number() > 8 ? any_number() : 2;
    if (in_.byte() % 16 == 0) o.struct_size = in_.byte() % (sizeof o + 1);
    o.fit = in_.byte() % 8 == 0 ? any_number() : in_.between(0, 2);
    if (in_.flag()) {
      o.width = any_number();
      o.height = any_number();
      // What is allowed but large would only cost time.
      if (o.width > 0 && o.height > 10000 / o.width) o.width = 0;
    }
    if (in_.byte() % 4 == 0) {
      o.override_normalization = any_number();
      for (float& mean : o.mean) mean = in_.flag() ? 127.5f : any_float();
      for (float& stddev : o.stddev) stddev = in_.flag() ? 127.5f : any_float();
    }
    return o;
  }

  void create_segmenter() {
    const deeplab_segmenter_options o = options();
    deeplab_segmenter* segmenter = nullptr;
    const deeplab_status status = deeplab_segmenter_create(
        model(), in_.byte() % 8 == 0 ? nullptr : &o, in_.byte() % 16 == 0 ? nullptr : &segmenter);
    check(status);
    require(status == DEEPLAB_OK || segmenter == nullptr, "no segmenter if making it failed");
    segmenter_.reset(segmenter);
  }

  /// A picture in memory of exactly its size, or one that the header refuses.
  deeplab_image image() {
    deeplab_image image;
    deeplab_image_init(&image, sizeof image);
    const int format = in_.byte() % 8 == 0 ? any_number() : in_.between(0, 4);
    image.format = format;
    image.width = any_number();
    image.height = any_number();
    constexpr int32_t kBytes[] = {3, 3, 4, 4, 1};
    const int64_t pixel = format >= 0 && format < 5 ? kBytes[format] : 0;
    const int64_t row = image.width * pixel;
    ptrdiff_t& stride = image.strides[0];
    stride = static_cast<ptrdiff_t>(row + (in_.byte() % 4 == 0 ? in_.between(-9, 60) : 0));
    if (in_.byte() % 4 == 0) stride = -stride;
    if (in_.byte() % 8 == 0) stride = any_number();
    turn(image);
    const int64_t step = stride < 0 ? -int64_t{stride} : int64_t{stride};
    const bool refused = pixel == 0 || image.width < 1 || image.height < 1 || image.width > 65535 ||
                         image.height > 65535 || (image.height > 1 && step < row);
    if (refused) {
      pixels_.assign(1, 0);
      image.planes[0] = in_.byte() % 4 == 0 ? nullptr : pixels_.data();
      return image;
    }
    const int64_t bytes = step * (image.height - 1) + row;
    if (bytes > 1 << 16) {  // Nobody's time is worth that.
      image.planes[0] = nullptr;
      return image;
    }
    pixels_.assign(static_cast<size_t>(bytes), in_.byte());
    image.planes[0] = in_.byte() % 16 == 0 ? nullptr
                      : stride < 0         ? pixels_.data() + (bytes - row)
                                           : pixels_.data();
    return image;
  }

  /// A region, a rotation and a mirror that may make no sense.
  void turn(deeplab_image& image) {
    if (in_.byte() % 4 == 0) image.rotation = in_.byte() % 4 == 0 ? any_number() : 90;
    if (in_.byte() % 8 == 0) image.mirror = in_.between(0, 2);
    if (in_.byte() % 8 == 0) {
      image.region_x = any_number();
      image.region_y = any_number();
      image.region_width = any_number();
      image.region_height = any_number();
    }
  }

  void run() {
    const deeplab_image picture = image();
    deeplab_segmenter* s = in_.byte() % 16 == 0 ? nullptr : segmenter_.get();
    check(deeplab_segmenter_run(s, in_.byte() % 16 == 0 ? nullptr : &picture, nullptr));
    deeplab_timing timing = {};
    timing.struct_size = sizeof timing;
    check(deeplab_segmenter_timing(s, &timing));
    require(timing.prepare_ms >= 0 && timing.infer_ms >= 0, "time goes forward");
  }

  /// Memory for a mask of elements of T with rows `stride` bytes apart; null if the header
  /// refuses them anyway, or if it would be large.
  template <typename T>
  T* mask_memory(int32_t width, int32_t height, ptrdiff_t stride) {
    const auto element = static_cast<int64_t>(sizeof(T));
    const bool refused = width < 1 || height < 1 || width > 65535 || height > 65535 ||
                         stride % element != 0 || stride < width * element;
    const int64_t bytes = refused ? element : (height - int64_t{1}) * stride + width * element;
    if (bytes > 1 << 18) return nullptr;
    mask_.reset(new float[static_cast<size_t>((bytes + 3) / 4)]);
    // Its end is the mask's end, so that a write past it is seen.
    auto* end = reinterpret_cast<std::byte*>(mask_.get()) + (bytes + 3) / 4 * 4;
    return reinterpret_cast<T*>(end - (bytes + element - 1) / element * element);
  }

  void category_mask() {
    const int32_t width = any_number();
    const int32_t height = any_number();
    const ptrdiff_t stride = in_.flag() ? width : any_number();
    uint8_t* mask = in_.byte() % 16 == 0 ? nullptr : mask_memory<uint8_t>(width, height, stride);
    check(deeplab_segmenter_category_mask(segmenter_.get(), width, height, mask, stride));
  }

  void confidence_mask() {
    const int32_t id = any_number();
    const int32_t width = any_number();
    const int32_t height = any_number();
    const ptrdiff_t stride = in_.flag() ? ptrdiff_t{4} * width : any_number();
    float* mask = in_.byte() % 16 == 0 ? nullptr : mask_memory<float>(width, height, stride);
    const int32_t ids[] = {0, id};
    const int32_t count = in_.byte() % 4 == 0 ? any_number() : 1;
    check(deeplab_segmenter_confidence_mask(segmenter_.get(), count == 2 ? ids : &id,
                                            std::min(count, count == 2 ? 2 : 1), width, height,
                                            mask, stride));
  }

  void scores() {
    const float* values = nullptr;
    int32_t width = 0, height = 0, classes = 0;
    const deeplab_status status =
        deeplab_segmenter_scores(segmenter_.get(), in_.byte() % 8 == 0 ? nullptr : &values, &width,
                                 in_.byte() % 8 == 0 ? nullptr : &height, &classes);
    check(status);
    if (status != DEEPLAB_OK) return;
    const int64_t count = int64_t{width} * height * classes;
    require(count > 0, "scores have a size");
    float sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += values[i];
    last_sum_ = sum;
  }

  void create_stream() {
    if (streams_made_ == 2) return;  // A thread each: dear.
    ++streams_made_;
    const deeplab_segmenter_options o = options();
    deeplab_stream_options stream_options;
    deeplab_stream_options_init(&stream_options, sizeof stream_options);
    stream_options.segmenter = &o;
    stream_options.capacity = any_number();
    stream_options.confidence = in_.byte() % 4;
    stream_options.category_mask = in_.between(0, 1);
    deeplab_stream* stream = nullptr;
    check(deeplab_stream_create(model(), in_.byte() % 16 == 0 ? nullptr : &stream_options,
                                in_.byte() % 16 == 0 ? nullptr : &stream));
    stream_.reset(stream);
  }
  void push() {
    const deeplab_image picture = image();
    check(deeplab_stream_push(stream_.get(), in_.byte() % 16 == 0 ? nullptr : &picture, in_.byte(),
                              in_.between(0, 1)));
  }
  void pull() {
    deeplab_frame* pulled = nullptr;
    const deeplab_status status = deeplab_stream_pull(
        stream_.get(), in_.byte() % 16 == 0 ? nullptr : &pulled, in_.between(0, 1));
    check(status);
    if (status != DEEPLAB_OK) return;
    const Owned<deeplab_frame> frame(pulled);
    deeplab_frame_info info = {};
    info.struct_size = sizeof info;
    check(deeplab_frame_get_info(pulled, &info));
    const int64_t count = int64_t{info.mask_width} * info.mask_height;
    for (int64_t i = 0; info.category_mask != nullptr && i < count; ++i) {
      require(info.category_mask[i] < 255, "a mask holds classes");
    }
  }
  void end_stream() {
    const uint8_t how = in_.byte() % 4;
    if (how == 3) deeplab_stream_flush(stream_.get());
    if (how == 0) deeplab_stream_finish(stream_.get());
    if (how == 1) deeplab_stream_cancel(stream_.get());
    if (how == 2) stream_.reset();
  }

  Decisions& in_;
  Owned<deeplab_model> loaded_;
  Owned<deeplab_segmenter> segmenter_;
  Owned<deeplab_stream> stream_;
  std::vector<uint8_t> pixels_;
  std::unique_ptr<float[]> mask_;
  int streams_made_ = 0;
  volatile float last_sum_ = 0;
};

}  // namespace
}  // namespace deeplab::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deeplab::fuzz;
  Decisions in(data, size);
  Caller caller(in);
  for (int i = 0; i < kMostCalls && !in.done(); ++i) caller.call();
  return 0;
}
