// The library's internal vocabulary for errors: the public Status and Result, short
// constructors that build the sentence, and the two propagation macros.
#pragma once

#include <new>
#include <sstream>
#include <string>
#include <utility>

#include "deeplab/status.hpp"

namespace deeplab {

/// Joins its arguments into one string as operator<< prints them. Throws std::bad_alloc if
/// memory runs out; a stream alone would silently give half of the text.
template <typename... Parts>
std::string str_cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  if (!out) throw std::bad_alloc();
  return std::move(out).str();
}

template <typename... Parts>
Status invalid_argument(const Parts&... parts) {
  return {StatusCode::kInvalidArgument, str_cat(parts...)};
}
template <typename... Parts>
Status invalid_model(const Parts&... parts) {
  return {StatusCode::kInvalidModel, str_cat(parts...)};
}
template <typename... Parts>
Status unsupported(const Parts&... parts) {
  return {StatusCode::kUnsupported, str_cat(parts...)};
}
template <typename... Parts>
Status io_error(const Parts&... parts) {
  return {StatusCode::kIoError, str_cat(parts...)};
}
template <typename... Parts>
Status invalid_image(const Parts&... parts) {
  return {StatusCode::kInvalidImage, str_cat(parts...)};
}
template <typename... Parts>
Status resource_exhausted(const Parts&... parts) {
  return {StatusCode::kResourceExhausted, str_cat(parts...)};
}
template <typename... Parts>
Status internal_error(const Parts&... parts) {
  return {StatusCode::kInternal, str_cat(parts...)};
}

/// For when memory has just run out: so short that it takes none itself.
inline Status out_of_memory() noexcept { return {StatusCode::kResourceExhausted, "out of memory"}; }

/// The same status with "context: " in front of its sentence; OK stays OK.
inline Status annotate(Status status, const std::string& context) {
  if (status.ok()) return status;
  return {status.code(), context + ": " + status.message()};
}

}  // namespace deeplab

#define DEEPLAB_CONCAT_INNER(a, b) a##b
#define DEEPLAB_CONCAT(a, b) DEEPLAB_CONCAT_INNER(a, b)

/// Returns from the enclosing function when `expression` is an error Status.
#define DEEPLAB_RETURN_IF_ERROR(expression)                        \
  do {                                                             \
    if (::deeplab::Status status_ = (expression); !status_.ok()) { \
      return status_;                                              \
    }                                                              \
  } while (false)

/// `DEEPLAB_ASSIGN_OR_RETURN(auto x, make_x());` declares x or returns the error.
#define DEEPLAB_ASSIGN_OR_RETURN(declaration, expression) \
  DEEPLAB_ASSIGN_OR_RETURN_INNER(DEEPLAB_CONCAT(result_, __LINE__), declaration, expression)
#define DEEPLAB_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                           \
  if (!result.ok()) return result.status();                             \
  declaration = std::move(result).value()
