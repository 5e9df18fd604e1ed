// The float network inside a QDQ model:
//   node float_onnx.mjs QDQ.onnx FLOAT.onnx
// Weights and biases are multiplied out once, scale * (q - zero_point). A QuantizeLinear and DequantizeLinear around an
// activation go, except for what they do besides rounding: if the lowest code means 0 they are the layer's ReLU or
// ReLU6, and a Clip with the range of the codes takes their place, which ONNX Runtime fuses into the convolution. Only
// the picture itself is still dequantized from uint8. No ONNX library is needed: a model is protobuf, of which a few
// fields are read and written here (numbers from onnx.proto), the others carried over as they are.
import {readFileSync, writeFileSync} from 'node:fs';

// ---- Protobuf: a message is a list of [field, wire type, value] -------------------------------

function varint(value) {
  const bytes = [];
  for (let v = BigInt(value); ; v >>= 7n) {
    if (v < 128n) return Buffer.from([...bytes, Number(v)]);
    bytes.push(Number(v & 127n) | 128);
  }
}

function parse(bytes) {
  const fields = [];
  let at = 0;
  const next = () => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(next());
    const wire = key & 7;
    if (wire === 0) {
      fields.push([key >> 3, wire, next()]);
    } else {
      const size = wire === 2 ? Number(next()) : wire === 5 ? 4 : 8;
      fields.push([key >> 3, wire, bytes.subarray(at, at += size)]);
    }
  }
  return fields;
}

function serialize(fields) {
  return Buffer.concat(fields.flatMap(([field, wire, value]) => [
    varint(field * 8 + wire),
    ...(wire === 0 ? [varint(value)] : wire === 2 ? [varint(value.length), value] : [value]),
  ]));
}

const all = (fields, number) => fields.filter(([field]) => field === number).map(([, , value]) => value);
const text = (number, string) => [number, 2, Buffer.from(string)];

// ---- ONNX ------------------------------------------------------------------------------------

const MODEL = {graph: 7};
const GRAPH = {node: 1, initializer: 5};
const NODE = {input: 1, output: 2, name: 3, type: 4, attribute: 5};
const ATTRIBUTE = {name: 1, i: 3};
const TENSOR = {dims: 1, type: 2, name: 8, raw: 9};
const FLOAT = 1, UINT8 = 2, INT8 = 3, INT32 = 6;

function readTensor(bytes) {
  const fields = parse(bytes);
  const raw = Uint8Array.from(all(fields, TENSOR.raw)[0]).buffer;
  const type = Number(all(fields, TENSOR.type)[0]);
  const View = {[FLOAT]: Float32Array, [UINT8]: Uint8Array, [INT8]: Int8Array, [INT32]: Int32Array}[type];
  return {dims: all(fields, TENSOR.dims).map(Number), values: View && new View(raw)};
}

function floatTensor(name, dims, values) {
  return serialize([...dims.map((d) => [TENSOR.dims, 0, BigInt(d)]), [TENSOR.type, 0, BigInt(FLOAT)],
                    text(TENSOR.name, name),
                    [TENSOR.raw, 2, Buffer.from(Float32Array.from(values).buffer)]]);
}

function readNode(bytes) {
  const fields = parse(bytes);
  return {
    bytes,
    type: String(all(fields, NODE.type)[0]),
    inputs: all(fields, NODE.input).map(String),
    outputs: all(fields, NODE.output).map(String),
    attribute: (name) => all(fields, NODE.attribute).map(parse)
      .filter((a) => String(all(a, ATTRIBUTE.name)[0]) === name).map((a) => Number(all(a, ATTRIBUTE.i)[0]))[0],
  };
}

const makeNode = (type, inputs, output) => serialize([...inputs.map((i) => text(NODE.input, i)),
                                                       text(NODE.output, output), text(NODE.type, type)]);

/** scale * (q - zero_point), the scales along `axis` if there are several. */
function dequantize({dims, values}, scales, zeros, axis) {
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const channel = (i) => (scales.length === 1 ? 0 : Math.floor(i / inner) % scales.length);
  return Array.from(values, (q, i) => scales[channel(i)] * (q - zeros[channel(i)]));
}

function floatGraph(graph) {
  const tensors = new Map(all(graph, GRAPH.initializer).map((t) => [String(all(parse(t), TENSOR.name)[0]), t]));
  const nodes = all(graph, GRAPH.node).map(readNode);
  const producer = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node])));
  const constant = (name) => readTensor(tensors.get(name)).values;
  const made = [];  // new initializers
  const kept = [];  // serialized nodes
  const alias = new Map();  // output of a node that goes -> what its readers read instead
  const source = (name) => (alias.has(name) ? source(alias.get(name)) : name);

  for (const node of nodes) {
    const [input, scale, zero] = node.inputs;
    const [output] = node.outputs;
    if (node.type === 'DequantizeLinear' && tensors.has(input)) {
      const tensor = readTensor(tensors.get(input));
      made.push(floatTensor(output, tensor.dims,
                            dequantize(tensor, constant(scale), constant(zero), node.attribute('axis') ?? 1)));
    } else if (node.type === 'QuantizeLinear') {
      const zeroTensor = constant(zero);
      const lowest = zeroTensor instanceof Int8Array ? -128 : 0;
      if (producer.get(input)?.type === 'Conv' && zeroTensor[0] === lowest) {
        made.push(floatTensor(`${output}_min`, [], [0]), floatTensor(`${output}_max`, [], [255 * constant(scale)[0]]));
        kept.push(makeNode('Clip', [source(input), `${output}_min`, `${output}_max`], output));
      } else {
        alias.set(output, input);
      }
    } else if (node.type === 'DequantizeLinear' && producer.get(input)?.type === 'QuantizeLinear') {
      alias.set(output, input);
    } else {
      kept.push(serialize(parse(node.bytes).map(([field, wire, value]) =>
        (field === NODE.input ? text(field, source(String(value))) : [field, wire, value]))));
    }
  }
  const used = new Set(kept.flatMap((bytes) => readNode(bytes).inputs));
  const initializers = [...[...tensors].filter(([name]) => used.has(name)).map(([, t]) => t), ...made];
  return serialize([
    ...kept.map((bytes) => [GRAPH.node, 2, bytes]),
    ...initializers.map((bytes) => [GRAPH.initializer, 2, bytes]),
    ...graph.filter(([field]) => field !== GRAPH.node && field !== GRAPH.initializer),
  ]);
}

const [from, to] = process.argv.slice(2);
writeFileSync(to, serialize(parse(readFileSync(from)).map(([field, wire, value]) =>
  (field === MODEL.graph ? [field, wire, floatGraph(parse(value))] : [field, wire, value]))));
