// One model in memory, however many elements of the process use it.
#pragma once

#include <memory>
#include <string>

#include "deeplab/deeplab.h"

namespace deeplab::gstreamer {

/// The model of a file, or the built-in one if `path` is empty. Elements that have the same file
/// get the same model, and with it one copy of its bytes and of the weights packed for a canvas;
/// the last one frees it. A file that has changed since is another one. Any thread; whoever
/// asks while another one loads waits. NULL: see `status` and deeplab_last_error().
std::shared_ptr<const deeplab_model> share_model(const std::string& path, bool allow_custom_ops,
                                                 deeplab_status& status);

}  // namespace deeplab::gstreamer
