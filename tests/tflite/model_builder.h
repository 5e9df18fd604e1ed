// .tflite files for tests, op by op. `model` is the whole file as plain structs: a test may
// change anything in it before build(). A test program that uses this links
// deeplab_tflite_schema_headers.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flatbuffers/flatbuffers.h"
#include "tflite/schema_generated.h"

namespace deeplab::testing {

/// Scales and zero points of a tensor; without scales, none.
struct FileQuantization {
  std::vector<float> scales;
  std::vector<int64_t> zero_points;
  int32_t axis = 0;
};

class ModelBuilder {
 public:
  using TensorType = tflite::schema::TensorType;
  using BuiltinOperator = tflite::schema::BuiltinOperator;

  ModelBuilder() {
    model.version = 3;
    model.description = "built by a test";
    model.buffers.push_back(std::make_unique<tflite::schema::BufferT>());
    model.subgraphs.push_back(std::make_unique<tflite::schema::SubGraphT>());
  }

  tflite::schema::ModelT model;

  tflite::schema::SubGraphT& graph() { return *model.subgraphs[0]; }
  tflite::schema::TensorT& tensor(int32_t id) { return *graph().tensors[static_cast<size_t>(id)]; }
  tflite::schema::OperatorT& op(size_t index) { return *graph().operators[index]; }
  std::vector<uint8_t>& data(int32_t id) { return model.buffers[tensor(id).buffer]->data; }

  int32_t activation(TensorType type, std::vector<int32_t> shape, FileQuantization q = {}) {
    auto t = std::make_unique<tflite::schema::TensorT>();
    t->name = std::to_string(graph().tensors.size()).insert(0, "t");
    t->type = type;
    t->shape = std::move(shape);
    if (!q.scales.empty() || !q.zero_points.empty()) {
      t->quantization = std::make_unique<tflite::schema::QuantizationParametersT>();
      t->quantization->scale = std::move(q.scales);
      t->quantization->zero_point = std::move(q.zero_points);
      t->quantization->quantized_dimension = q.axis;
    }
    graph().tensors.push_back(std::move(t));
    return static_cast<int32_t>(graph().tensors.size() - 1);
  }

  int32_t input(TensorType type, std::vector<int32_t> shape, FileQuantization q = {}) {
    graph().inputs.push_back(activation(type, std::move(shape), std::move(q)));
    return graph().inputs.back();
  }

  template <typename T>
  int32_t constant(TensorType type, std::vector<int32_t> shape, const std::vector<T>& values,
                   FileQuantization q = {}) {
    const int32_t id = activation(type, std::move(shape), std::move(q));
    auto buffer = std::make_unique<tflite::schema::BufferT>();
    buffer->data.resize(values.size() * sizeof(T));
    std::memcpy(buffer->data.data(), values.data(), buffer->data.size());
    tensor(id).buffer = static_cast<uint32_t>(model.buffers.size());
    model.buffers.push_back(std::move(buffer));
    return id;
  }

  /// A list operand: axes, sizes, multiples, ... Paddings are {n, 2}.
  int32_t numbers(const std::vector<int32_t>& values, std::vector<int32_t> shape = {}) {
    if (shape.empty()) shape = {static_cast<int32_t>(values.size())};
    return constant(TensorType::INT32, std::move(shape), values);
  }

  /// `options` is one of the ...OptionsT structs. Returns `output`.
  template <typename Options>
  int32_t add(BuiltinOperator code, std::vector<int32_t> inputs, int32_t output, Options options) {
    add(code, std::move(inputs), output);
    graph().operators.back()->builtin_options.Set(std::move(options));
    return output;
  }
  /// An op without options.
  int32_t add(BuiltinOperator code, std::vector<int32_t> inputs, int32_t output) {
    auto entry = std::make_unique<tflite::schema::OperatorCodeT>();
    entry->builtin_code = code;
    entry->deprecated_builtin_code =
        static_cast<int8_t>(std::min<int32_t>(static_cast<int32_t>(code), 127));
    auto node = std::make_unique<tflite::schema::OperatorT>();
    node->opcode_index = static_cast<uint32_t>(model.operator_codes.size());
    node->inputs = std::move(inputs);
    node->outputs = {output};
    model.operator_codes.push_back(std::move(entry));
    graph().operators.push_back(std::move(node));
    return output;
  }

  std::vector<std::byte> build(std::vector<int32_t> outputs) {
    graph().outputs = std::move(outputs);
    return build();
  }
  std::vector<std::byte> build() const {
    flatbuffers::FlatBufferBuilder builder;
    tflite::schema::FinishModelBuffer(builder, tflite::schema::CreateModel(builder, &model));
    const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
    return {bytes.begin(), bytes.end()};
  }
};

/// A small int8 network that ends in a label map: CONV_2D (one scale per channel), ADD of a
/// constant, AVERAGE_POOL_2D, RESIZE_BILINEAR, CONCATENATION, ARG_MAX.
inline ModelBuilder small_int8_model() {
  namespace schema = tflite::schema;
  using Type = schema::TensorType;
  using Code = schema::BuiltinOperator;
  ModelBuilder b;
  const FileQuantization one{{1.0f}, {0}};
  const int32_t x = b.input(Type::INT8, {1, 9, 9, 3}, one);
  const int32_t filter = b.constant(Type::INT8, {4, 3, 3, 3}, std::vector<int8_t>(108, 2),
                                    {{0.5f, 0.25f, 0.5f, 0.5f}, {0, 0, 0, 0}, 0});
  const int32_t bias = b.constant(Type::INT32, {4}, std::vector<int32_t>{1, -2, 3, 4},
                                  {{0.5f, 0.25f, 0.5f, 0.5f}, {0, 0, 0, 0}, 0});
  schema::Conv2DOptionsT conv;
  conv.stride_h = conv.stride_w = 2;
  conv.fused_activation_function = schema::ActivationFunctionType::RELU6;
  const int32_t y =
      b.add(Code::CONV_2D, {x, filter, bias}, b.activation(Type::INT8, {1, 5, 5, 4}, one), conv);
  const int32_t offset = b.constant(Type::INT8, {4}, std::vector<int8_t>{1, 2, 3, 4}, one);
  const int32_t sum = b.add(Code::ADD, {offset, y},  // the reader puts the constant second
                            b.activation(Type::INT8, {1, 5, 5, 4}, one), schema::AddOptionsT{});
  schema::Pool2DOptionsT pool;
  pool.padding = schema::Padding::VALID;
  pool.stride_h = pool.stride_w = 1;
  pool.filter_height = pool.filter_width = 5;
  const int32_t pooled =
      b.add(Code::AVERAGE_POOL_2D, {sum}, b.activation(Type::INT8, {1, 1, 1, 4}, one), pool);
  schema::ResizeBilinearOptionsT resize;
  resize.align_corners = true;
  const int32_t spread = b.add(Code::RESIZE_BILINEAR, {pooled, b.numbers({5, 5})},
                               b.activation(Type::INT8, {1, 5, 5, 4}, one), resize);
  schema::ConcatenationOptionsT concat;
  concat.axis = -1;
  const int32_t joined = b.add(Code::CONCATENATION, {spread, sum},
                               b.activation(Type::INT8, {1, 5, 5, 8}, one), concat);
  schema::ArgMaxOptionsT arg_max;
  arg_max.output_type = Type::INT32;
  const int32_t labels = b.add(Code::ARG_MAX, {joined, b.numbers({3}, {1})},
                               b.activation(Type::INT32, {1, 5, 5}), arg_max);
  b.graph().outputs = {labels};
  return b;
}

/// What a converter to float16 makes of a dilated depthwise convolution whose batch norm it did not
/// fold: constants under DEQUANTIZE, SPACE_TO_BATCH_ND, DEPTHWISE_CONV_2D, BATCH_TO_SPACE_ND, MUL,
/// SUB.
inline ModelBuilder float16_batch_norm_model() {
  namespace schema = tflite::schema;
  using Type = schema::TensorType;
  using Code = schema::BuiltinOperator;
  ModelBuilder b;
  const auto half = [&](std::vector<int32_t> shape, size_t count, uint16_t value) {
    const int32_t c = b.constant(Type::FLOAT16, shape, std::vector<uint16_t>(count, value));
    return b.add(Code::DEQUANTIZE, {c}, b.activation(Type::FLOAT32, std::move(shape)));
  };
  const int32_t x = b.input(Type::FLOAT32, {1, 6, 8, 3});
  const int32_t block = b.numbers({2, 2});
  const int32_t pads = b.numbers({2, 2, 2, 2}, {2, 2});
  const int32_t crops = b.numbers({0, 0, 0, 0}, {2, 2});
  const int32_t split =
      b.add(Code::SPACE_TO_BATCH_ND, {x, block, pads}, b.activation(Type::FLOAT32, {4, 5, 6, 3}));
  schema::DepthwiseConv2DOptionsT conv;
  conv.padding = schema::Padding::VALID;
  conv.stride_h = conv.stride_w = 1;
  const int32_t deep =
      b.add(Code::DEPTHWISE_CONV_2D, {split, half({1, 3, 3, 3}, 27, 0x3800), half({3}, 3, 0x3400)},
            b.activation(Type::FLOAT32, {4, 3, 4, 3}), conv);
  const int32_t join = b.add(Code::BATCH_TO_SPACE_ND, {deep, block, crops},
                             b.activation(Type::FLOAT32, {1, 6, 8, 3}));
  const int32_t product =
      b.add(Code::MUL, {half({3}, 3, 0x3E00), join}, b.activation(Type::FLOAT32, {1, 6, 8, 3}));
  schema::SubOptionsT sub;
  sub.fused_activation_function = schema::ActivationFunctionType::RELU6;
  const int32_t out = b.add(Code::SUB, {half({1, 1, 1, 3}, 3, 0x4000), product},
                            b.activation(Type::FLOAT32, {1, 6, 8, 3}), sub);
  b.graph().outputs = {out};
  return b;
}

/// What Keras writes for a batch of any size: the output shape of TRANSPOSE_CONV out of SHAPE. Then
/// half of the picture through float32, and a RESHAPE by GATHER, REDUCE_PROD and FLOOR_DIV.
inline ModelBuilder computed_shapes_model() {
  namespace schema = tflite::schema;
  using Type = schema::TensorType;
  using Code = schema::BuiltinOperator;
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {-1, 4, 6, 2});
  const int32_t shape = b.add(Code::SHAPE, {x}, b.activation(Type::INT32, {4}));
  const auto part = [&](int32_t from, int32_t to, bool one) {
    schema::StridedSliceOptionsT options;
    options.shrink_axis_mask = one ? 1 : 0;
    const std::vector<int32_t> shape_of_part =
        one ? std::vector<int32_t>{} : std::vector{to - from};
    return b.add(Code::STRIDED_SLICE, {shape, b.numbers({from}), b.numbers({to}), b.numbers({1})},
                 b.activation(Type::INT32, shape_of_part), options);
  };
  const auto scalar = [&](int32_t value) {
    return b.constant(Type::INT32, {}, std::vector<int32_t>{value});
  };
  const int32_t two = scalar(2);
  const auto doubled = [&](int32_t size) {
    return b.add(Code::MUL, {size, two}, b.activation(Type::INT32, {}), schema::MulOptionsT{});
  };
  schema::PackOptionsT pack;
  pack.values_count = 4;
  const int32_t out_shape =
      b.add(Code::PACK,
            {part(0, 1, true), doubled(part(1, 2, true)), doubled(part(2, 3, true)), scalar(5)},
            b.activation(Type::INT32, {4}), pack);
  const int32_t filter = b.constant(Type::FLOAT32, {5, 2, 2, 2}, std::vector<float>(40, 1));
  schema::TransposeConvOptionsT convolution;
  convolution.padding = schema::Padding::SAME;
  convolution.stride_h = convolution.stride_w = 2;
  const int32_t y = b.add(Code::TRANSPOSE_CONV, {out_shape, filter, x},
                          b.activation(Type::FLOAT32, {-1, -1, -1, 5}), convolution);

  const int32_t real = b.add(Code::CAST, {part(1, 3, false)}, b.activation(Type::FLOAT32, {2}));
  const int32_t half = b.constant(Type::FLOAT32, {}, std::vector<float>{0.5f});
  const int32_t halved =
      b.add(Code::MUL, {real, half}, b.activation(Type::FLOAT32, {2}), schema::MulOptionsT{});
  const int32_t size = b.add(Code::CAST, {halved}, b.activation(Type::INT32, {2}));
  const int32_t z =
      b.add(Code::RESIZE_BILINEAR, {y, size}, b.activation(Type::FLOAT32, {1, 2, 3, 5}),
            schema::ResizeBilinearOptionsT{});
  const int32_t batch =
      b.add(Code::GATHER, {shape, b.numbers({0})}, b.activation(Type::INT32, {1}));
  const int32_t pixels =
      b.add(Code::REDUCE_PROD, {part(1, 3, false), b.numbers({0})}, b.activation(Type::INT32, {}));
  const int32_t quarter =
      b.add(Code::FLOOR_DIV, {pixels, scalar(4)}, b.activation(Type::INT32, {}));
  const int32_t list =
      b.add(Code::EXPAND_DIMS, {quarter, b.numbers({0})}, b.activation(Type::INT32, {1}));
  schema::ConcatenationOptionsT joined;
  const int32_t flat = b.add(Code::CONCATENATION, {batch, list, b.numbers({5})},
                             b.activation(Type::INT32, {3}), joined);
  const int32_t rows = b.add(Code::RESHAPE, {z, flat}, b.activation(Type::FLOAT32, {1, 6, 5}));
  b.graph().outputs = {rows};
  return b;
}

}  // namespace deeplab::testing
