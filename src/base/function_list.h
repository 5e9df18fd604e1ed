// Functions of numbers that are ops of the file format: one line each, from which follow the
// enumerator, the name, the kernel, how it is read and how it is written.
//
// UNARY(enumerator, NAME, release, f(x))
//   Of float32. What 8-bit numbers need, beyond that, is in the ops/unary.cc of each room.
// BINARY(enumerator, NAME, ordered, release, f(a, b))
//   ordered: f(a, b) is not f(b, a).
// REDUCTION(enumerator, NAME, picks, release, start, f(total, x))
//   Of numbers of type T. picks: the result is one of the numbers, so stored 8-bit ones do.
//
// NAME is what the file format calls it, and release is the first of TensorFlow Lite that has it:
// major, minor, patch. Formulas may use alpha, an attribute of all functions of one number.
//
// No include guard: whoever includes this defines what it wants to know.
#ifndef UNARY
#define UNARY(...)
#endif
#ifndef BINARY
#define BINARY(...)
#endif
#ifndef REDUCTION
#define REDUCTION(...)
#endif

// clang-format off

UNARY(kLogistic,  LOGISTIC,   1, 14, 0, 1.0f / (1.0f + std::exp(-x)))
UNARY(kTanh,      TANH,       1, 14, 0, std::tanh(x))
UNARY(kHardSwish, HARD_SWISH, 1, 15, 0, x * std::min(6.0f, std::max(0.0f, x + 3.0f)) / 6.0f)
UNARY(kLeakyRelu, LEAKY_RELU, 1, 13, 1, x > 0 ? x : x * alpha)
UNARY(kElu,       ELU,        1, 14, 0, x < 0 ? std::expm1(x) : x)
UNARY(kExp,       EXP,        1, 7, 0,  std::exp(x))
UNARY(kSqrt,      SQRT,       1, 10, 0, std::sqrt(x))
UNARY(kRsqrt,     RSQRT,      1, 10, 0, 1.0f / std::sqrt(x))
UNARY(kSquare,    SQUARE,     1, 12, 0, x * x)
UNARY(kAbs,       ABS,        1, 13, 0, std::abs(x))
UNARY(kNeg,       NEG,        1, 9, 0,  -x)
UNARY(kLog,       LOG,        1, 14, 0, std::log(x))
UNARY(kFloor,     FLOOR,      1, 9, 0,  std::floor(x))
UNARY(kCeil,      CEIL,       1, 14, 0, std::ceil(x))

BINARY(kMaximum,           MAXIMUM,            false, 1, 14, 0, std::max(a, b))
BINARY(kMinimum,           MINIMUM,            false, 1, 14, 0, std::min(a, b))
BINARY(kSquaredDifference, SQUARED_DIFFERENCE, false, 1, 13, 1, (a - b) * (a - b))
BINARY(kDiv,               DIV,                true,  1, 6, 0,  a / b)

REDUCTION(kSum, SUM, false, 1, 10, 0, T{0}, total + x)
REDUCTION(kMax, REDUCE_MAX, true, 1, 14, 0, std::numeric_limits<T>::lowest(), x > total ? x : total)

// clang-format on

#undef UNARY
#undef BINARY
#undef REDUCTION
