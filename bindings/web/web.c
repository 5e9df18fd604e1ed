/* What JavaScript calls besides the plain functions of deeplab.h: those whose arguments are
 * structs. Pointers are to the module's memory; `pixels` are rows without gaps, of 1 (grey), 3
 * (RGB) or 4 (RGBA) channels. */
#include <stdatomic.h>

#include "deeplab/deeplab.h"
#include "deeplab/deeplab_draw.h"

#define EXPORT(name) __attribute__((export_name(#name)))

/* ---- Threads. Each worker of the page runs web_be_worker() in an instance of its own of this
 * module, with the same memory. A call is open while its caller works on it: workers that come in
 * time join it, others are not waited for. The library's tasks neither allocate nor throw, so the
 * C library for one thread is enough. ---- */

enum {
  kOpen = 1 << 16,
  kStackBytes = 1 << 20,
  kRelaxedStackBytes = 1 << 16, /* of the module of relaxed SIMD */
  /* How often a worker looks before it sleeps: some tens of microseconds, as the steps of a network
   * follow each other faster than that. */
  kLooks = 20000
};

static struct {
  deeplab_task task;
  void* work;
  int32_t count;
  int32_t may_sleep;                      /* the caller: a page's main thread must not */
  _Alignas(64) _Atomic int32_t next;      /* first index that nobody has taken */
  _Alignas(64) _Atomic int32_t inside;    /* workers in the call, and kOpen */
  _Alignas(64) _Atomic int32_t announced; /* calls so far */
  _Atomic int32_t sleeping;
  _Atomic int32_t failed; /* a worker's task trapped */
  _Atomic int32_t stopping;
} team;

/* Until `value` is another one than `old`; gives that. */
static int32_t wait_for_change(_Atomic int32_t* value, int32_t old, int32_t may_sleep) {
  for (int32_t i = 0; i < kLooks || !may_sleep; ++i) {
    const int32_t now = atomic_load(value);
    if (now != old) return now;
  }
  atomic_fetch_add(&team.sleeping, 1);
  __builtin_wasm_memory_atomic_wait32((int32_t*)value, old, -1);
  atomic_fetch_sub(&team.sleeping, 1);
  return atomic_load(value);
}

static void wake(_Atomic int32_t* value) {
  if (atomic_load(&team.sleeping) == 0) return;
  __builtin_wasm_memory_atomic_notify((int32_t*)value, UINT32_MAX);
}

static void work_on_call(void) {
  for (int32_t i; (i = atomic_fetch_add(&team.next, 1)) < team.count;) team.task(team.work, i);
}

static void run_in_team(void* context, deeplab_task task, void* work, int32_t count) {
  (void)context;
  team.task = task;
  team.work = work;
  team.count = count;
  atomic_store(&team.next, 0);
  atomic_store(&team.inside, kOpen);
  atomic_fetch_add(&team.announced, 1);
  wake(&team.announced);
  work_on_call();
  int32_t left = atomic_fetch_and(&team.inside, ~kOpen) & ~kOpen;
  while (left != 0) left = wait_for_change(&team.inside, left, team.may_sleep);
  if (atomic_load(&team.failed)) __builtin_trap();
}

static int32_t join_call(void) {
  int32_t now = atomic_load(&team.inside);
  while ((now & kOpen) != 0) {
    if (atomic_compare_exchange_weak(&team.inside, &now, now + 1)) return 1;
  }
  return 0;
}

static void leave_call(void) {
  if (atomic_fetch_sub(&team.inside, 1) == 1) wake(&team.inside);
}

/* Where the main instance's module of relaxed SIMD has its stack: the end of it. */
EXPORT(web_relaxed_simd_stack) char* web_relaxed_simd_stack(void) {
  static _Alignas(64) char stack[kRelaxedStackBytes];
  return stack + kRelaxedStackBytes;
}

static size_t tls_bytes(void) { return (__builtin_wasm_tls_size() + 63) & ~(size_t)63; }

/* Memory that a worker needs for itself: its thread-local variables, then both stacks. */
EXPORT(web_worker_bytes) size_t web_worker_bytes(void) {
  return tls_bytes() + kRelaxedStackBytes + kStackBytes;
}

/* Gives the end of the stack for the module of relaxed SIMD. */
extern void __wasm_init_tls(void* memory);
EXPORT(web_start_worker) char* web_start_worker(char* memory) {
  __wasm_init_tls(memory);
  return memory + tls_bytes() + kRelaxedStackBytes;
}

EXPORT(web_be_worker) void web_be_worker(void) {
  for (int32_t seen = 0;;) {
    seen = wait_for_change(&team.announced, seen, 1);
    if (atomic_load(&team.stopping)) return;
    if (!join_call()) continue;
    work_on_call();
    leave_call();
  }
}

/* After a trap in web_be_worker(), which only a task can cause. */
EXPORT(web_worker_failed) void web_worker_failed(void) {
  atomic_store(&team.failed, 1);
  leave_call();
}

EXPORT(web_stop_workers) void web_stop_workers(void) {
  atomic_store(&team.stopping, 1);
  atomic_fetch_add(&team.announced, 1);
  wake(&team.announced);
}

/* ---- The library ---- */

EXPORT(web_load) int32_t web_load(const void* data, size_t size, deeplab_model** model) {
  return data != NULL ? deeplab_model_load_memory(data, size, model)
                      : deeplab_model_load_builtin(model);
}

EXPORT(web_create)
int32_t web_create(const deeplab_model* model, int32_t threads, int32_t may_sleep, int32_t fit,
                   int32_t width, int32_t height, const char* isa, deeplab_segmenter** segmenter) {
  team.may_sleep = may_sleep;
  deeplab_segmenter_options options;
  deeplab_segmenter_options_init(&options, sizeof options);
  deeplab_runner runner;
  deeplab_runner_init(&runner, sizeof runner);
  runner.threads = threads;
  runner.run = run_in_team;
  deeplab_thread_pool* pool = NULL;
  const deeplab_status started = deeplab_thread_pool_create_with_runner(&runner, &pool);
  if (started != DEEPLAB_OK) return started;
  options.thread_pool = pool;
  options.fit = fit;
  options.width = width;
  options.height = height;
  options.isa = isa;
  const deeplab_status status = deeplab_segmenter_create(model, &options, segmenter);
  deeplab_thread_pool_free(pool);
  return status;
}

/* Canvas width and height, threads; the name of the kernel family. */
EXPORT(web_info)
int32_t web_info(const deeplab_segmenter* segmenter, int32_t numbers[3], const char** isa) {
  deeplab_segmenter_info info = {sizeof info};
  const deeplab_status status = deeplab_segmenter_get_info(segmenter, &info);
  numbers[0] = info.canvas_width;
  numbers[1] = info.canvas_height;
  numbers[2] = info.threads;
  *isa = info.isa;
  return status;
}

static deeplab_image image_of(const uint8_t* pixels, int32_t width, int32_t height,
                              int32_t channels) {
  deeplab_image image;
  deeplab_image_init(&image, sizeof image);
  image.planes[0] = pixels;
  image.strides[0] = (ptrdiff_t)width * channels;
  image.format = channels == 1 ? DEEPLAB_GRAY8 : channels == 3 ? DEEPLAB_RGB8 : DEEPLAB_RGBA8;
  image.width = width;
  image.height = height;
  return image;
}

EXPORT(web_check)
int32_t web_check(int32_t width, int32_t height, int32_t channels) {
  static const uint8_t never_read = 0;
  const deeplab_image image = image_of(&never_read, width, height, channels);
  return deeplab_image_size(&image, &width, &height);
}

EXPORT(web_run)
int32_t web_run(deeplab_segmenter* segmenter, const uint8_t* pixels, int32_t width, int32_t height,
                int32_t channels) {
  const deeplab_image image = image_of(pixels, width, height, channels);
  return deeplab_segmenter_run(segmenter, &image, NULL);
}

/* Milliseconds: prepare, infer, labels. */
EXPORT(web_timing)
int32_t web_timing(const deeplab_segmenter* segmenter, double milliseconds[3]) {
  deeplab_timing timing = {sizeof timing};
  const deeplab_status status = deeplab_segmenter_timing(segmenter, &timing);
  milliseconds[0] = timing.prepare_ms;
  milliseconds[1] = timing.infer_ms;
  milliseconds[2] = timing.labels_ms;
  return status;
}

/* The overlay as RGBA, which is what a canvas takes. `row` is memory for 3 * width bytes. */
EXPORT(web_overlay)
int32_t web_overlay(const uint8_t* pixels, int32_t width, int32_t height, int32_t channels,
                    const uint8_t* mask, float opacity, int32_t contours, int32_t legend,
                    const deeplab_model* model, uint8_t* row, uint8_t* rgba) {
  const char* labels[256];
  deeplab_overlay_options options;
  deeplab_overlay_options_init(&options, sizeof options);
  options.opacity = opacity;
  options.contours = contours;
  options.legend = legend;
  options.label_count = deeplab_model_class_count(model);
  for (int32_t i = 0; i < options.label_count; ++i) labels[i] = deeplab_model_label(model, i);
  options.labels = labels;
  deeplab_overlay* overlay = NULL;
  const deeplab_status status =
      deeplab_overlay_create(mask, width, height, width, &options, &overlay);
  if (status != DEEPLAB_OK) return status;
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x, pixels += channels) {
      for (int32_t c = 0; c < 3; ++c) row[3 * x + c] = pixels[channels >= 3 ? c : 0];
    }
    deeplab_status drawn = deeplab_overlay_draw_row(overlay, y, row);
    if (drawn != DEEPLAB_OK) {
      deeplab_overlay_free(overlay);
      return drawn;
    }
    for (int32_t x = 0; x < width; ++x, rgba += 4) {
      for (int32_t c = 0; c < 3; ++c) rgba[c] = row[3 * x + c];
      rgba[3] = 255;
    }
  }
  deeplab_overlay_free(overlay);
  return DEEPLAB_OK;
}

EXPORT(web_cut_out)
int32_t web_cut_out(const uint8_t* pixels, int32_t width, int32_t height, int32_t channels,
                    const float* confidence, uint8_t* rgba) {
  const deeplab_image image = image_of(pixels, width, height, channels);
  return deeplab_cut_out(&image, confidence, (ptrdiff_t)width * (ptrdiff_t)sizeof(float), rgba,
                         (ptrdiff_t)width * 4);
}
