// For emscripten's linker: what web.c's library imports from the module of relaxed SIMD. deeplab.mjs connects them.
mergeInto(LibraryManager.library, { is_fused() {}, conv2d_float() {}, depthwise_conv2d_float() {} });
