#include "tflite_library/library.h"

#if !defined(__EMSCRIPTEN__)
#include <dlfcn.h>
#endif

#include <string_view>

namespace deeplab::tflite_library {
namespace {

/// Puts the function of that name, which may be missing if it is optional, into `function`.
template <typename Function>
Status find(const SharedObject& object, const char* name, Function& function,
            bool is_optional = false) {
  function = reinterpret_cast<Function>(object.symbol(name));
  if (function != nullptr || is_optional) return {};
  return unsupported(object.path(), " has no function ", name,
                     ", so it is not TensorFlow Lite's C library, or one that this program does "
                     "not know");
}

#define DEEPLAB_FIND(name) DEEPLAB_RETURN_IF_ERROR(find(object, #name, functions.name))

Status find_functions(const SharedObject& object, Functions& functions) {
  DEEPLAB_FIND(TfLiteVersion);
  DEEPLAB_FIND(TfLiteModelCreate);
  DEEPLAB_FIND(TfLiteModelDelete);
  DEEPLAB_FIND(TfLiteInterpreterOptionsCreate);
  DEEPLAB_FIND(TfLiteInterpreterOptionsDelete);
  DEEPLAB_FIND(TfLiteInterpreterOptionsSetNumThreads);
  DEEPLAB_FIND(TfLiteInterpreterOptionsSetErrorReporter);
  DEEPLAB_FIND(TfLiteInterpreterOptionsAddDelegate);
  DEEPLAB_FIND(TfLiteInterpreterCreate);
  DEEPLAB_FIND(TfLiteInterpreterDelete);
  DEEPLAB_FIND(TfLiteInterpreterAllocateTensors);
  DEEPLAB_FIND(TfLiteInterpreterResizeInputTensor);
  DEEPLAB_FIND(TfLiteInterpreterInvoke);
  DEEPLAB_FIND(TfLiteInterpreterGetInputTensorCount);
  DEEPLAB_FIND(TfLiteInterpreterGetInputTensor);
  DEEPLAB_FIND(TfLiteInterpreterGetOutputTensorCount);
  DEEPLAB_FIND(TfLiteInterpreterGetOutputTensor);
  DEEPLAB_FIND(TfLiteTensorType);
  DEEPLAB_FIND(TfLiteTensorNumDims);
  DEEPLAB_FIND(TfLiteTensorDim);
  DEEPLAB_FIND(TfLiteTensorByteSize);
  DEEPLAB_FIND(TfLiteTensorData);
  DEEPLAB_FIND(TfLiteTensorName);
  DEEPLAB_FIND(TfLiteTensorQuantizationParams);
  (void)find(object, "TfLiteXNNPackDelegateCreate", functions.TfLiteXNNPackDelegateCreate, true);
  (void)find(object, "TfLiteXNNPackDelegateDelete", functions.TfLiteXNNPackDelegateDelete, true);
  return {};
}

#undef DEEPLAB_FIND

}  // namespace

#if defined(__EMSCRIPTEN__)

Result<SharedObject> SharedObject::open(const std::string& path) {
  return unsupported("cannot open ", path, ": WebAssembly opens no libraries");
}

void* SharedObject::symbol(const char* /*name*/) const { return handle_; }

#else

Result<SharedObject> SharedObject::open(const std::string& path) {
  // Nobody else's symbols are to be found in it, nor its symbols by anybody else.
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle != nullptr) return SharedObject(handle, path);
  const char* reason = ::dlerror();
  const std::string said = reason != nullptr ? reason : "no reason given";
  // Most of what the loader says begins with the path.
  if (std::string_view(said).starts_with(path)) return io_error("cannot open ", said);
  return io_error("cannot open ", path, ": ", said);
}

void* SharedObject::symbol(const char* name) const { return ::dlsym(handle_, name); }

#endif

Result<std::shared_ptr<const Library>> Library::open(const std::string& path) {
  const auto load = [](const SharedObject& object) -> Result<std::shared_ptr<const Library>> {
    std::shared_ptr<Library> library(new Library());
    library->path_ = object.path();
    DEEPLAB_RETURN_IF_ERROR(find_functions(object, library->functions_));
    return std::shared_ptr<const Library>(std::move(library));
  };
  if (!path.empty()) {
    auto object = SharedObject::open(path);
    if (!object.ok()) return annotate(object.status(), "TensorFlow Lite");
    return load(*object);
  }
  std::string tried;
  for (const char* name : kLibraryNames) {
    const auto object = SharedObject::open(name);
    if (object.ok()) return load(*object);
    tried += str_cat(tried.empty() ? "" : "; ", object.status().message());
  }
  return io_error("TensorFlow Lite was not found: ", tried,
                  ". Say where its library is, or put it where the loader looks "
                  "(LD_LIBRARY_PATH)");
}

}  // namespace deeplab::tflite_library
