#include "tflite_library/delegate.h"

#include <array>
#include <string_view>

namespace deeplab::tflite_library {
namespace {

/// What the delegate that this thread is creating has to say; the function it is given to say it
/// has no argument of ours.
thread_local std::string* reports = nullptr;

void report_error(const char* message) {
  if (reports == nullptr || message == nullptr) return;
  *reports += str_cat(reports->empty() ? "" : "; ", message);
}

class ReportScope {
 public:
  explicit ReportScope(std::string& text) { reports = &text; }
  ~ReportScope() { reports = nullptr; }
  ReportScope(const ReportScope&) = delete;
  ReportScope& operator=(const ReportScope&) = delete;
};

/// Delegates known to keep what they have compiled in a file, by a part of their library's name.
struct KnownCache {
  std::string_view library;
  const char* file_option;
  const char* switch_option;  ///< Null: the file's name is enough.
};
constexpr std::array kKnownCaches = {
    KnownCache{"vx_delegate", "cache_file_path", "allowed_cache_mode"},
    KnownCache{"ethosu_delegate", "cache_file_path", nullptr},
};

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> cache_options(
    const std::string& delegate_path, const std::string& directory, uint64_t model_hash) {
  const std::string_view name = file_name(delegate_path);
  for (const KnownCache& known : kKnownCaches) {
    if (name.find(known.library) == name.npos) continue;
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hash;
    for (int shift = 60; shift >= 0; shift -= 4) hash += kDigits[(model_hash >> shift) & 15];
    std::vector<std::pair<std::string, std::string>> options;
    options.emplace_back(known.file_option, str_cat(directory, "/deeplab-", hash, ".cache"));
    if (known.switch_option != nullptr) options.emplace_back(known.switch_option, "true");
    return options;
  }
  return unsupported("nobody knows what ", name,
                     " calls its cache; name it by the delegate's own options instead");
}

Result<std::unique_ptr<Delegate>> Delegate::create(const Library& library,
                                                   const DelegateOptions& options, int threads) {
  std::unique_ptr<Delegate> self(new Delegate());
  self->path_ = options.path;
  if (options.path == kXnnpack) {
    const Functions& functions = library.functions();
    if (functions.TfLiteXNNPackDelegateCreate == nullptr ||
        functions.TfLiteXNNPackDelegateDelete == nullptr) {
      return unsupported(library.path(), " was built without XNNPACK (no function ",
                         "TfLiteXNNPackDelegateCreate)");
    }
    if (!options.options.empty()) {
      return invalid_argument("xnnpack takes no options; '", options.options.front().first,
                              "' was given");
    }
    // Threads, then flags: both quantized types on. Later versions read more, all 0.
    const std::array<int32_t, 32> settings = {threads, 1 | 2};
    self->destroy_ = functions.TfLiteXNNPackDelegateDelete;
    self->inner_ = functions.TfLiteXNNPackDelegateCreate(settings.data());
    if (self->inner_ == nullptr) {
      return unsupported("XNNPACK of ", library.path(), " gave no delegate");
    }
  } else {
    const auto object = SharedObject::open(options.path);
    if (!object.ok()) return annotate(object.status(), "the delegate");
    constexpr const char* kCreate = "tflite_plugin_create_delegate";
    constexpr const char* kDestroy = "tflite_plugin_destroy_delegate";
    const auto create = reinterpret_cast<CreateDelegate>(object->symbol(kCreate));
    self->destroy_ = reinterpret_cast<DestroyDelegate>(object->symbol(kDestroy));
    if (create == nullptr || self->destroy_ == nullptr) {
      return unsupported(options.path, " has no function ", create == nullptr ? kCreate : kDestroy,
                         ", so it is not a delegate for TensorFlow Lite");
    }
    std::vector<const char*> keys, values;
    for (const auto& [key, value] : options.options) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
    std::string said;
    {
      const ReportScope scope(said);
      self->inner_ = create(keys.data(), values.data(), keys.size(), report_error);
    }
    if (self->inner_ == nullptr) {
      return unsupported("the delegate ", options.path, " refused to be created",
                         said.empty() ? ", and did not say why" : ": ", said);
    }
  }
  if (self->inner_->Prepare == nullptr) {
    return unsupported("the delegate ", options.path,
                       " has no Prepare(): it was made for another interface of TensorFlow Lite");
  }
  return self;
}

Delegate::~Delegate() {
  if (inner_ != nullptr) destroy_(inner_);
}

TfLiteDelegate* Delegate::handle(int ops) {
  ops_ = ops;
  wrapper_.data = this;
  wrapper_.Prepare = prepare;
  wrapper_.flags = inner_->flags;
  return &wrapper_;
}

/// The nodes that the delegate makes carry its own handle, so that the library talks to it directly
/// from then on.
int Delegate::prepare(TfLiteContext* context, TfLiteDelegate* delegate) {
  auto& self = *static_cast<Delegate*>(delegate->data);
  self.was_asked_ = true;
  const int status = self.inner_->Prepare(context, self.inner_);
  self.has_refused_ = status != kTfLiteOk;
  if (!self.has_refused_) {
    self.is_placement_known_ = read_placement(context, self.ops_, self.placement_);
  }
  return status;
}

}  // namespace deeplab::tflite_library
