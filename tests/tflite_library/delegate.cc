// A delegate that takes ops and computes them: each by the kernel that TensorFlow Lite has for it,
// in memory of its own, one partition after the other. So what comes out has to be the same bytes
// as without it. Its option "mode" says what it takes, or how it fails; see kModes.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tflite_library/abi.h"

#if defined(WITHOUT_CREATE)

extern "C" __attribute__((visibility("default"))) void tflite_plugin_destroy_delegate(
    deeplab::tflite_library::TfLiteDelegate* /*delegate*/) {}

#else

namespace {

using namespace deeplab::tflite_library;  // NOLINT(google-build-using-namespace)

constexpr int kDepthwiseConv2d = 4;             // of the file format
constexpr const char* kCustomOp = "test-copy";  // gives its input
constexpr const char* kModeNames[] = {"all", "depthwise", "none",  "prepare",
                                      "run", "create",    "custom"};

/// As TensorFlow Lite 2.9 has it.
struct LiteTensor {
  int type;
  void* data;
  TfLiteIntArray* dims;
  TfLiteQuantizationParams params;
  int allocation_type;
  size_t bytes;
  const void* allocation;
  const char* name;
  TfLiteDelegate* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  struct {
    int type;
    void* params;
  } quantization;
  void* sparsity;
  const TfLiteIntArray* dims_signature;
};
static_assert(sizeof(LiteTensor) == 112);

LiteTensor& tensor(TfLiteContext* context, int index) {
  return reinterpret_cast<LiteTensor*>(context->tensors)[index];
}

std::vector<int> elements(const TfLiteIntArray* array) {
  if (array == nullptr) return {};
  return {array->data(), array->data() + array->size};
}

/// An op as the library had it before it was replaced.
struct Op {
  TfLiteNode node;
  TfLiteRegistration registration;
};

struct State {
  std::string mode = "all";
  std::map<int, Op> ops;  // those that are taken
};

/// One partition.
struct Partition {
  const State* state = nullptr;
  std::vector<int> ops;
  std::map<int, std::vector<char>> inside;  // tensors that nobody else sees
};

void* init(TfLiteContext* context, const char* buffer, size_t /*length*/) {
  const auto& params = *reinterpret_cast<const TfLiteDelegateParams*>(buffer);
  auto* partition = new Partition();
  partition->state = static_cast<const State*>(params.delegate->data);
  partition->ops = elements(params.nodes_to_replace);
  const std::vector<int> outputs = elements(params.output_tensors);
  for (const int op : partition->ops) {
    for (const int id : elements(partition->state->ops.at(op).node.outputs)) {
      if (std::find(outputs.begin(), outputs.end(), id) != outputs.end()) continue;
      partition->inside[id].resize(tensor(context, id).bytes);
    }
  }
  return partition;
}

void release(TfLiteContext* /*context*/, void* data) { delete static_cast<Partition*>(data); }

int prepare_node(TfLiteContext* /*context*/, TfLiteNode* /*node*/) { return kTfLiteOk; }

int invoke(TfLiteContext* context, TfLiteNode* node) {
  auto& partition = *static_cast<Partition*>(node->user_data);
  if (partition.state->mode == "run") {
    context->ReportError(context, "the accelerator has lost its clock");
    return kTfLiteError;
  }
  for (auto& [id, memory] : partition.inside) tensor(context, id).data = memory.data();
  for (const int index : partition.ops) {
    Op op = partition.state->ops.at(index);
    if (partition.state->mode == "custom") {
      const LiteTensor& from = tensor(context, op.node.inputs->data()[0]);
      const LiteTensor& to = tensor(context, op.node.outputs->data()[0]);
      std::memcpy(to.data, from.data, std::min(from.bytes, to.bytes));
      continue;
    }
    const int status = op.registration.invoke(context, &op.node);
    if (status != kTfLiteOk) return status;
  }
  return kTfLiteOk;
}

/// What a version after 2.9 adds to the struct, it finds as 0.
struct PaddedRegistration {
  TfLiteRegistration registration;
  void* later_members[8];
};

int prepare(TfLiteContext* context, TfLiteDelegate* delegate) {
  auto& state = *static_cast<State*>(delegate->data);
  if (state.mode == "prepare") {
    context->ReportError(context, "the accelerator's driver is of version %d, expected %d", 3, 7);
    return kTfLiteError;
  }
  TfLiteIntArray* plan = nullptr;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk) return kTfLiteError;
  std::vector<int> taken;
  for (const int index : elements(plan)) {
    TfLiteNode* node = nullptr;
    TfLiteRegistration* registration = nullptr;
    if (context->GetNodeAndRegistration(context, index, &node, &registration) != kTfLiteOk) {
      return kTfLiteError;
    }
    // Scratch tensors are the library's, which gives none to an op that it does not run.
    if (!elements(node->temporaries).empty() || state.mode == "none") continue;
    const char* custom = registration->custom_name;
    const bool is_custom = custom != nullptr && std::strcmp(custom, kCustomOp) == 0;
    if (is_custom != (state.mode == "custom")) continue;
    if (state.mode == "depthwise" && registration->builtin_code != kDepthwiseConv2d) continue;
    state.ops[index] = {*node, *registration};
    taken.push_back(index);
  }
  if (taken.empty()) return kTfLiteOk;
  std::vector<int> array = {static_cast<int>(taken.size())};
  array.insert(array.end(), taken.begin(), taken.end());
  PaddedRegistration padded = {};
  padded.registration = {init, release, prepare_node, invoke, nullptr, 0, "TestDelegate", 1};
  using Replace =
      int (*)(TfLiteContext*, PaddedRegistration, const TfLiteIntArray*, TfLiteDelegate*);
  return reinterpret_cast<Replace>(
      reinterpret_cast<void*>(context->ReplaceNodeSubsetsWithDelegateKernels))(
      context, padded, reinterpret_cast<const TfLiteIntArray*>(array.data()), delegate);
}

}  // namespace

extern "C" {

#if defined(WITH_UNKNOWN_FUNCTION)
void a_function_that_no_library_has(void);
#endif

__attribute__((visibility("default"))) TfLiteDelegate* tflite_plugin_create_delegate(
    const char* const* keys, const char* const* values, size_t count,
    void (*report_error)(const char*)) {
#if defined(WITH_UNKNOWN_FUNCTION)
  a_function_that_no_library_has();
#endif
  auto state = std::make_unique<State>();
  for (size_t i = 0; i < count; ++i) {
    const std::string key = keys[i];
    if (key == "silent") return nullptr;
    if (key != "mode") {
      report_error(("unknown option '" + key + "'").c_str());
      report_error("expected mode");
      return nullptr;
    }
    state->mode = values[i];
  }
  const auto end = std::end(kModeNames);
  if (std::find(std::begin(kModeNames), end, state->mode) == end || state->mode == "create") {
    report_error("no accelerator on this board");
    return nullptr;
  }
  auto* delegate = new TfLiteDelegate();
  // A graph with an op that the library does not know has no known shapes before it is asked.
  if (state->mode == "custom") delegate->flags = 1;
  delegate->data = state.release();
  delegate->Prepare = prepare;
  return delegate;
}

#if !defined(WITHOUT_DESTROY)
__attribute__((visibility("default"))) void tflite_plugin_destroy_delegate(
    TfLiteDelegate* delegate) {
  delete static_cast<State*>(delegate->data);
  delete delegate;
}
#endif
}
#endif
