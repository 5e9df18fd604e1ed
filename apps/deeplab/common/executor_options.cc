#include "apps/deeplab/common/executor_options.h"

namespace deeplab::app {
namespace {

/// An option whose text `parse` turns into the value, or refuses with a sentence.
template <typename T>
CLI::Option* add_named_option(CLI::App& app, const char* name, T& value,
                              Result<T> (*parse)(std::string_view), const char* help) {
  return app.add_option_function<std::string>(
      name,
      [name, &value, parse](const std::string& text) {
        const Result<T> parsed = parse(text);
        if (!parsed.ok()) throw CLI::ValidationError(name, parsed.status().message());
        value = *parsed;
      },
      help);
}

}  // namespace

CLI::Option* add_executor_option(CLI::App& app, ExecutorKind& executor) {
  return add_named_option(app, "--executor", executor, executor_from_name,
                          "planned (fast kernels) or naive (one op at a time on the normative "
                          "reference kernels); planned if not given")
      ->type_name("planned|naive");
}

CLI::Option* add_rounding_option(CLI::App& app, kernels::Rounding& rounding) {
  return add_named_option(app, "--rounding", rounding, rounding_from_name,
                          "engine, or tflite for the bytes of TensorFlow Lite's reference kernels "
                          "(naive executor only); engine if not given")
      ->type_name("engine|tflite");
}

void check_rounding(const FileNetworkOptions& options) {
  if (options.rounding == kernels::Rounding::kTfLite && options.executor != ExecutorKind::kNaive) {
    throw CLI::ValidationError("--rounding", "tflite needs --executor naive");
  }
}

}  // namespace deeplab::app
