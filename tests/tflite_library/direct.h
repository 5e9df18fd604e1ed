// TensorFlow Lite called by the shortest way there is, for the bytes that ours has to give.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "tests/tflite_library/library.h"

namespace deeplab::testing {

using Bytes = std::vector<std::byte>;

/// The outputs of a model file for the bytes of its input, with the library's own kernels.
inline std::vector<Bytes> run_directly(std::span<const std::byte> file,
                                       std::span<const std::byte> input, int threads) {
  void* library = ::dlopen(tflite_library_path().c_str(), RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library, nullptr) << ::dlerror();
  if (library == nullptr) return {};
  const auto call = [&]<typename Result, typename... Arguments>(
                        const char* name, Result (*)(Arguments...), Arguments... arguments) {
    return reinterpret_cast<Result (*)(Arguments...)>(::dlsym(library, name))(arguments...);
  };
  using Pointer = void*;
  using Make = Pointer (*)(const void*, size_t);
  using MakeNothing = Pointer (*)();
  using Two = Pointer (*)(Pointer, Pointer);
  using At = Pointer (*)(Pointer, int32_t);
  using Count = int32_t (*)(Pointer);
  using Size = size_t (*)(Pointer);
  using Data = Pointer (*)(Pointer);
  using Set = void (*)(Pointer, int32_t);
  using Drop = void (*)(Pointer);
  const Pointer model =
      call("TfLiteModelCreate", Make(), static_cast<const void*>(file.data()), file.size());
  const Pointer options = call("TfLiteInterpreterOptionsCreate", MakeNothing());
  call("TfLiteInterpreterOptionsSetNumThreads", Set(), options, int32_t{threads});
  const Pointer interpreter = call("TfLiteInterpreterCreate", Two(), model, options);
  EXPECT_NE(interpreter, nullptr);
  std::vector<Bytes> outputs;
  if (interpreter != nullptr &&
      call("TfLiteInterpreterAllocateTensors", Count(), interpreter) == 0) {
    const Pointer in = call("TfLiteInterpreterGetInputTensor", At(), interpreter, int32_t{0});
    EXPECT_EQ(call("TfLiteTensorByteSize", Size(), in), input.size());
    std::memcpy(call("TfLiteTensorData", Data(), in), input.data(), input.size());
    EXPECT_EQ(call("TfLiteInterpreterInvoke", Count(), interpreter), 0);
    const int32_t count = call("TfLiteInterpreterGetOutputTensorCount", Count(), interpreter);
    for (int32_t i = 0; i < count; ++i) {
      const Pointer out = call("TfLiteInterpreterGetOutputTensor", At(), interpreter, i);
      const auto* data = static_cast<const std::byte*>(call("TfLiteTensorData", Data(), out));
      outputs.emplace_back(data, data + call("TfLiteTensorByteSize", Size(), out));
    }
  }
  if (interpreter != nullptr) call("TfLiteInterpreterDelete", Drop(), interpreter);
  call("TfLiteInterpreterOptionsDelete", Drop(), options);
  call("TfLiteModelDelete", Drop(), model);
  return outputs;
}

}  // namespace deeplab::testing
