// What this project uses of TensorFlow Lite's C interface, declared here: nothing of it is linked
// and no header of it is needed. The order and the types of the members are facts of that
// interface; they have been the same since version 2.5 (2021). Structs whose names begin with
// TfLite belong to the library or to a delegate; members after the last one given here exist.
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>

namespace deeplab::tflite_library {

inline constexpr int kTfLiteOk = 0;
inline constexpr int kTfLiteError = 1;

/// Values of TfLiteTensorType().
enum class TfLiteType : int { kFloat32 = 1, kInt32 = 2, kUInt8 = 3, kInt64 = 4, kInt8 = 9 };

struct TfLiteModel;
struct TfLiteInterpreter;
struct TfLiteInterpreterOptions;
struct TfLiteTensor;
struct TfLiteDelegate;

/// `size` numbers follow it.
struct TfLiteIntArray {
  int size;
  const int* data() const { return &size + 1; }
};

struct TfLiteNode {
  TfLiteIntArray* inputs;
  TfLiteIntArray* outputs;
  TfLiteIntArray* intermediates;
  TfLiteIntArray* temporaries;
  void* user_data;
  void* builtin_data;  ///< TfLiteDelegateParams if `delegate` is not null.
  const void* custom_initial_data;
  int custom_initial_data_size;
  TfLiteDelegate* delegate;
};

struct TfLiteContext;

/// What runs a node.
struct TfLiteRegistration {
  void* (*init)(TfLiteContext* context, const char* buffer, size_t length);
  void (*free)(TfLiteContext* context, void* buffer);
  int (*prepare)(TfLiteContext* context, TfLiteNode* node);
  int (*invoke)(TfLiteContext* context, TfLiteNode* node);
  const char* (*profiling_string)(const TfLiteContext* context, const TfLiteNode* node);
  int32_t builtin_code;
  const char* custom_name;
  int version;
};

struct TfLiteContext {
  size_t tensors_size;
  int (*GetExecutionPlan)(TfLiteContext* context, TfLiteIntArray** plan);
  TfLiteTensor* tensors;
  void* impl;
  int (*ResizeTensor)(TfLiteContext* context, TfLiteTensor* tensor, TfLiteIntArray* size);
  void (*ReportError)(TfLiteContext* context, const char* format, ...);
  int (*AddTensors)(TfLiteContext* context, int count, int* first);
  int (*GetNodeAndRegistration)(TfLiteContext* context, int index, TfLiteNode** node,
                                TfLiteRegistration** registration);
  /// By value: a delegate has to know the members of its time, this project does not call it.
  int (*ReplaceNodeSubsetsWithDelegateKernels)(TfLiteContext* context,
                                               TfLiteRegistration registration,
                                               const TfLiteIntArray* nodes,
                                               TfLiteDelegate* delegate);
};

/// Of a node that stands for a partition.
struct TfLiteDelegateParams {
  TfLiteDelegate* delegate;
  TfLiteIntArray* nodes_to_replace;
  TfLiteIntArray* input_tensors;
  TfLiteIntArray* output_tensors;
};

struct TfLiteDelegate {
  void* data;
  int (*Prepare)(TfLiteContext* context, TfLiteDelegate* delegate);
  void* copy_from_buffer_handle;
  void* copy_to_buffer_handle;
  void* free_buffer_handle;
  int64_t flags;
  /// Newer libraries read further members of what they are given: all 0 here.
  void* later_members[16];
};

struct TfLiteQuantizationParams {
  float scale;
  int32_t zero_point;
};

using ErrorReporter = void (*)(void* context, const char* format, va_list arguments);

/// The functions of the library, by the names that it exports.
struct Functions {
  const char* (*TfLiteVersion)();
  TfLiteModel* (*TfLiteModelCreate)(const void* data, size_t size);
  void (*TfLiteModelDelete)(TfLiteModel*);
  TfLiteInterpreterOptions* (*TfLiteInterpreterOptionsCreate)();
  void (*TfLiteInterpreterOptionsDelete)(TfLiteInterpreterOptions*);
  void (*TfLiteInterpreterOptionsSetNumThreads)(TfLiteInterpreterOptions*, int32_t threads);
  void (*TfLiteInterpreterOptionsSetErrorReporter)(TfLiteInterpreterOptions*, ErrorReporter,
                                                   void* context);
  void (*TfLiteInterpreterOptionsAddDelegate)(TfLiteInterpreterOptions*, TfLiteDelegate*);
  TfLiteInterpreter* (*TfLiteInterpreterCreate)(const TfLiteModel*,
                                                const TfLiteInterpreterOptions*);
  void (*TfLiteInterpreterDelete)(TfLiteInterpreter*);
  int (*TfLiteInterpreterAllocateTensors)(TfLiteInterpreter*);
  int (*TfLiteInterpreterResizeInputTensor)(TfLiteInterpreter*, int32_t index, const int* dims,
                                            int32_t rank);
  int (*TfLiteInterpreterInvoke)(TfLiteInterpreter*);
  int32_t (*TfLiteInterpreterGetInputTensorCount)(const TfLiteInterpreter*);
  TfLiteTensor* (*TfLiteInterpreterGetInputTensor)(const TfLiteInterpreter*, int32_t index);
  int32_t (*TfLiteInterpreterGetOutputTensorCount)(const TfLiteInterpreter*);
  const TfLiteTensor* (*TfLiteInterpreterGetOutputTensor)(const TfLiteInterpreter*, int32_t index);
  int (*TfLiteTensorType)(const TfLiteTensor*);
  int32_t (*TfLiteTensorNumDims)(const TfLiteTensor*);
  int32_t (*TfLiteTensorDim)(const TfLiteTensor*, int32_t index);
  size_t (*TfLiteTensorByteSize)(const TfLiteTensor*);
  void* (*TfLiteTensorData)(const TfLiteTensor*);
  const char* (*TfLiteTensorName)(const TfLiteTensor*);
  TfLiteQuantizationParams (*TfLiteTensorQuantizationParams)(const TfLiteTensor*);
  // Null if the library was built without XNNPACK:
  TfLiteDelegate* (*TfLiteXNNPackDelegateCreate)(const void* options);
  void (*TfLiteXNNPackDelegateDelete)(TfLiteDelegate*);
};

/// The two functions that a delegate's own library exports.
using CreateDelegate = TfLiteDelegate* (*)(const char* const* keys, const char* const* values,
                                           size_t count, void (*report_error)(const char* message));
using DestroyDelegate = void (*)(TfLiteDelegate*);

}  // namespace deeplab::tflite_library
