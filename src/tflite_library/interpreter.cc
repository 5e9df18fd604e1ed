#include "tflite_library/interpreter.h"

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/hash.h"

namespace deeplab::tflite_library {
namespace {

/// More than this of what a library says goes into no sentence.
constexpr size_t kMaxMessages = 1024;

}  // namespace

std::string description(const Options& options) {
  if (options.delegate.empty()) return "TensorFlow Lite";
  const size_t slash = options.delegate.rfind('/');
  return str_cat("TensorFlow Lite with ", options.delegate.substr(slash + 1));
}

Result<std::unique_ptr<Interpreter>> Interpreter::create(std::shared_ptr<const void> owner,
                                                         std::span<const std::byte> model, int ops,
                                                         std::span<const int32_t> input_shape,
                                                         const Options& options, int threads) {
  std::unique_ptr<Interpreter> self(new Interpreter());
  self->owner_ = std::move(owner);
  self->name_ = description(options);
  DEEPLAB_ASSIGN_OR_RETURN(self->library_, Library::open(options.library));
  const Functions& functions = self->library_->functions();
  if (!options.delegate.empty()) {
    DelegateOptions given{options.delegate, options.delegate_options};
    if (!options.delegate_cache.empty()) {
      std::error_code ignored;  // whatever is wrong, it cannot be used
      if (!std::filesystem::is_directory(options.delegate_cache, ignored)) {
        return io_error("the delegate's cache: no directory ", options.delegate_cache);
      }
      DEEPLAB_ASSIGN_OR_RETURN(
          const auto cache,
          cache_options(options.delegate, options.delegate_cache, hash_of(model)));
      given.options.insert(given.options.begin(), cache.begin(), cache.end());
    }
    DEEPLAB_ASSIGN_OR_RETURN(self->delegate_, Delegate::create(*self->library_, given, threads));
  }
  self->model_ = functions.TfLiteModelCreate(model.data(), model.size());
  if (self->model_ == nullptr) return self->failed("cannot read the model");
  self->options_ = functions.TfLiteInterpreterOptionsCreate();
  if (self->options_ == nullptr) return self->failed("gives no options");
  functions.TfLiteInterpreterOptionsSetNumThreads(self->options_, threads);
  functions.TfLiteInterpreterOptionsSetErrorReporter(self->options_, keep_message, self.get());
  if (self->delegate_ != nullptr) {
    functions.TfLiteInterpreterOptionsAddDelegate(self->options_, self->delegate_->handle(ops));
  }
  self->interpreter_ = functions.TfLiteInterpreterCreate(self->model_, self->options_);
  if (self->interpreter_ == nullptr) return self->failed("refuses the model");
  if (self->input_count() < 1) return self->failed("finds no input in the model");
  if (self->input(0).shape != std::vector<int32_t>(input_shape.begin(), input_shape.end()) &&
      functions.TfLiteInterpreterResizeInputTensor(self->interpreter_, 0, input_shape.data(),
                                                   static_cast<int32_t>(input_shape.size())) !=
          kTfLiteOk) {
    return self->failed("cannot give the input its shape");
  }
  if (functions.TfLiteInterpreterAllocateTensors(self->interpreter_) != kTfLiteOk) {
    return self->failed("cannot prepare the model");
  }
  return self;
}

Interpreter::~Interpreter() {
  if (library_ == nullptr) return;
  const Functions& functions = library_->functions();
  if (interpreter_ != nullptr) functions.TfLiteInterpreterDelete(interpreter_);
  delegate_.reset();
  if (options_ != nullptr) functions.TfLiteInterpreterOptionsDelete(options_);
  if (model_ != nullptr) functions.TfLiteModelDelete(model_);
}

void Interpreter::keep_message(void* context, const char* format, va_list arguments) {
  auto& self = *static_cast<Interpreter*>(context);
  char text[512];
  if (std::vsnprintf(text, sizeof(text), format, arguments) < 0) return;
  const std::lock_guard lock(self.messages_mutex_);
  if (self.messages_.size() > kMaxMessages) return;
  self.messages_ += str_cat(self.messages_.empty() ? "" : "; ", text);
}

Status Interpreter::failed(const char* what) {
  std::string said;
  {
    const std::lock_guard lock(messages_mutex_);
    said.swap(messages_);
  }
  for (char& c : said) {
    if (c == '\n') c = ' ';
  }
  while (!said.empty() && said.back() == ' ') said.pop_back();
  const std::string who = str_cat("TensorFlow Lite ", library_->version());
  const char* colon = said.empty() ? "" : ": ";
  if (delegate_ == nullptr) return unsupported(who, " ", what, colon, said);
  if (delegate_->has_refused()) {
    return unsupported("the delegate ", delegate_->path(), " refused to take part of the model",
                       said.empty() ? ", and did not say why" : ": ", said);
  }
  return unsupported(who, " with the delegate ", delegate_->path(), " ", what, colon, said);
}

int Interpreter::input_count() const {
  return library_->functions().TfLiteInterpreterGetInputTensorCount(interpreter_);
}

int Interpreter::output_count() const {
  return library_->functions().TfLiteInterpreterGetOutputTensorCount(interpreter_);
}

TensorView Interpreter::view(const TfLiteTensor* tensor) const {
  const Functions& functions = library_->functions();
  TensorView view;
  if (tensor == nullptr) return view;
  view.type = static_cast<TfLiteType>(functions.TfLiteTensorType(tensor));
  for (int32_t i = 0; i < functions.TfLiteTensorNumDims(tensor); ++i) {
    view.shape.push_back(functions.TfLiteTensorDim(tensor, i));
  }
  auto* data = static_cast<std::byte*>(functions.TfLiteTensorData(tensor));
  if (data != nullptr) view.bytes = {data, functions.TfLiteTensorByteSize(tensor)};
  if (const char* name = functions.TfLiteTensorName(tensor)) view.name = name;
  return view;
}

TensorView Interpreter::input(int index) const {
  return view(library_->functions().TfLiteInterpreterGetInputTensor(interpreter_, index));
}

TensorView Interpreter::output(int index) const {
  return view(library_->functions().TfLiteInterpreterGetOutputTensor(interpreter_, index));
}

Status Interpreter::run() {
  {
    const std::lock_guard lock(messages_mutex_);
    messages_.clear();
  }
  if (library_->functions().TfLiteInterpreterInvoke(interpreter_) == kTfLiteOk) return {};
  const Status status = failed("failed in the run");
  return {StatusCode::kInternal, status.message()};
}

}  // namespace deeplab::tflite_library
