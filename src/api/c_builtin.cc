// deeplab.h: the model that is built in. In a file of its own, so that a program that links the
// static library and does not call this does not contain the model.
#include "api/builtin_model.h"
#include "api/c_api.h"

deeplab_status deeplab_model_load_builtin(deeplab_model** model) {
  using deeplab::Status;
  using deeplab::api::Model;
  return deeplab::api::guarded([&]() -> Status {
    if (model == nullptr) {
      return deeplab::invalid_argument("deeplab_model_load_builtin: model is NULL");
    }
    *model = nullptr;
    const auto bytes = deeplab::api::builtin_model();
    if (bytes.empty()) {
      return deeplab::unsupported("this library was built without a model in it");
    }
    DEEPLAB_ASSIGN_OR_RETURN(auto loaded,
                             Model::parse_static(bytes, deeplab::api::kBuiltinModelName));
    *model = new deeplab_model{std::move(loaded)};
    return {};
  });
}
