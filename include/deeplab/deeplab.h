/* deeplab.cpp: semantic segmentation on the CPU. The C99 interface.
 *
 *   deeplab_model        a model file in memory; immutable, may be shared between threads
 *   deeplab_segmenter    runs a model on pictures; one per thread, owns all working memory
 *   deeplab_stream       runs a model on one picture after another on a thread of its own
 *   deeplab_thread_pool  worker threads that several segmenters share, or the caller's own
 *   deeplab_draw.h       overlays, cut-outs, polygons and palettes made from masks
 *
 * Errors. Every function that can fail returns a deeplab_status. After any value other than
 * DEEPLAB_OK, deeplab_last_error() gives one sentence that says what was wrong with what, and
 * output arguments that are pointers to handles are NULL. No function prints, exits, reads the
 * environment, or lets a C++ exception out. NULL handles and NULL required arguments are
 * DEEPLAB_INVALID_ARGUMENT; every *_free() accepts NULL.
 *
 * Structs. The first member of every struct is struct_size, its size in the program that uses
 * it. Structs that the caller fills have an init function, which sets struct_size and the
 * defaults; for structs that the library fills, set struct_size alone:
 *
 *   deeplab_segmenter_options options;
 *   deeplab_segmenter_options_init(&options, sizeof options);
 *   deeplab_timing timing = {sizeof timing};
 *
 * Later versions add members at the end only. A program compiled with an older header works with
 * a newer library: members that it does not know have their defaults, and are not written. A
 * program compiled with a newer header works with an older library as long as the members that
 * the library does not know are 0; otherwise it gets DEEPLAB_UNSUPPORTED. Enumerators in structs
 * are int32_t. Members called reserved must be 0.
 *
 * Ownership. What a function gives out belongs to the handle that it came from and stays valid as
 * long as that handle, unless stated otherwise. Options and everything they point to are only
 * read during the call, unless stated otherwise.
 */
#ifndef DEEPLAB_DEEPLAB_H_
#define DEEPLAB_DEEPLAB_H_

#include <stddef.h>
#include <stdint.h>

/* The version of this header. Before 1.0 each minor release may break the ABI; after 1.0 only
 * major releases may. The soname follows. */
#define DEEPLAB_VERSION_MAJOR 0
#define DEEPLAB_VERSION_MINOR 2
#define DEEPLAB_VERSION_PATCH 0
#define DEEPLAB_VERSION "0.2.0"
#define DEEPLAB_VERSION_NUMBER \
  (DEEPLAB_VERSION_MAJOR * 1000000 + DEEPLAB_VERSION_MINOR * 1000 + DEEPLAB_VERSION_PATCH)

/* DEEPLAB_STATIC: the program links a static library. DEEPLAB_BUILDING_DLL: set by the build of
 * the Windows library itself. */
#if defined(DEEPLAB_STATIC)
#define DEEPLAB_API
#elif defined(_WIN32) && defined(DEEPLAB_BUILDING_DLL)
#define DEEPLAB_API __declspec(dllexport)
#elif defined(_WIN32)
#define DEEPLAB_API __declspec(dllimport)
#elif defined(__GNUC__)
#define DEEPLAB_API __attribute__((visibility("default")))
#else
#define DEEPLAB_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum deeplab_status {
  DEEPLAB_OK = 0,
  DEEPLAB_INVALID_ARGUMENT = 1,   /* an argument is out of range or inconsistent */
  DEEPLAB_INVALID_MODEL = 2,      /* the model file is damaged or contradicts itself */
  DEEPLAB_UNSUPPORTED = 3,        /* an op, type, format or option that is not handled */
  DEEPLAB_IO_ERROR = 4,           /* the system refused to open, read or write */
  DEEPLAB_INVALID_IMAGE = 5,      /* an image file is damaged or not an image */
  DEEPLAB_RESOURCE_EXHAUSTED = 6, /* out of memory, or over a stated limit */
  DEEPLAB_INTERNAL = 7,           /* a bug in deeplab.cpp */
  DEEPLAB_WOULD_BLOCK = 8,        /* a stream had no room, or nothing ready, in the time given */
  DEEPLAB_STREAM_ENDED = 9,       /* a stream takes, or gives, no more pictures */
  DEEPLAB_CANCELLED = 10,         /* the caller stopped a run, or flushed the stream it waited on */
  DEEPLAB_DEADLINE_EXCEEDED = 11  /* a run took longer than its caller allowed */
} deeplab_status;

/* The name of a deeplab_status without its prefix, such as "INVALID_ARGUMENT"; "UNKNOWN" for any
 * other number. Static storage. */
DEEPLAB_API const char* deeplab_status_name(int32_t status);

/* The sentence of the last call on this thread that failed, UTF-8, cut after 2047 bytes; "" if
 * none has failed. Valid until the next failing call on this thread. */
DEEPLAB_API const char* deeplab_last_error(void);

/* The library's version, as DEEPLAB_VERSION (static storage) and as DEEPLAB_VERSION_NUMBER. A
 * shared library may differ from the header in its patch number. */
DEEPLAB_API const char* deeplab_version(void);
DEEPLAB_API int32_t deeplab_version_number(void);

/* The kernel families that this build has and this CPU runs, slowest first: "scalar", then for
 * instance "avx2" or "neon". NULL from index `count` on, where count is their number. Static
 * storage. All families give the same bytes. */
DEEPLAB_API const char* deeplab_isa_name(int32_t index);

/* ---- Model ------------------------------------------------------------------------------ */

typedef struct deeplab_model deeplab_model;

/* Each of the five load functions verifies the whole file before it returns. On success *model is
 * the caller's, to be given to deeplab_model_free(). Any thread.
 *
 * From a .tflite file, which stays open until the model is freed: a segmenter packs the weights for
 * itself, the file's own are freed then, and the next segmenter that cannot share those packed ones
 * reads the file again. It may be renamed, replaced or removed meanwhile, but its bytes may not
 * change: that segmenter would be DEEPLAB_IO_ERROR. */
DEEPLAB_API deeplab_status deeplab_model_load_file(const char* path, deeplab_model** model);

/* What the caller says of a model file that its metadata does not say, or says wrongly. */
typedef struct deeplab_model_options {
  size_t struct_size;
  /* UTF-8 names, one per class; NULL: the file's. A file whose metadata has another number of
   * labels than the network has classes is DEEPLAB_INVALID_MODEL without them. Copied. */
  const char* const* labels;
  int32_t label_count; /* the number of classes; anything else is DEEPLAB_INVALID_ARGUMENT */
  /* Of a network with one class: the probability, above 0 and below 1, that a pixel of the class
   * exceeds; class 0 is then the background, class 1 the file's. 0: 0.5. Ignored for others. */
  float threshold;
  /* UTF-8. Of a file with several outputs, the one with the masks, by name or by index ("1").
   * NULL: the one with the largest picture. */
  const char* output_tensor;
  /* 1: a file may have custom ops, code that a compiler for an accelerator wrote into it (Vela, the
   * Edge TPU's). DEEPLAB_BACKEND_TFLITE runs it with the accelerator's delegate, at its own canvas;
   * the engine does not. 0: such a file is DEEPLAB_UNSUPPORTED. */
  int32_t allow_custom_ops;
  int32_t reserved;
} deeplab_model_options;
DEEPLAB_API void deeplab_model_options_init(deeplab_model_options* options, size_t struct_size);

/* deeplab_model_load_file() with options, which may be NULL for the defaults. */
DEEPLAB_API deeplab_status deeplab_model_load_file_with_options(
    const char* path, const deeplab_model_options* options, deeplab_model** model);

/* From `size` bytes of a .tflite file in memory, which are copied. */
DEEPLAB_API deeplab_status deeplab_model_load_memory(const void* data, size_t size,
                                                     deeplab_model** model);

/* The same without a copy: the bytes must not change until release(context) is called, once, by
 * the thread that drops the last handle that reads them (model, segmenter or stream), or before
 * this function returns if loading fails. `release` may be NULL for bytes that live as long as
 * the program. */
DEEPLAB_API deeplab_status deeplab_model_load_borrowed(const void* data, size_t size,
                                                       void (*release)(void* context),
                                                       void* context, deeplab_model** model);

/* The model that is part of the library: DeepLabV3-MobileNetV2, int8, 513x513, the 21 classes of
 * PASCAL VOC, about 1 MB. It is read where it lies. A program that links the static library and
 * does not call this function does not contain it. DEEPLAB_UNSUPPORTED: the library was built
 * without it. */
DEEPLAB_API deeplab_status deeplab_model_load_builtin(deeplab_model** model);

/* Segmenters and streams made from the model stay usable. */
DEEPLAB_API void deeplab_model_free(deeplab_model* model);

/* Number of classes, background (class 0) included; at most 255. 0 for NULL. */
DEEPLAB_API int32_t deeplab_model_class_count(const deeplab_model* model);

/* Name of a class, UTF-8: from the options or the file's metadata, else PASCAL VOC's if there are
 * 21 classes, else "class N". NULL for an id out of range. */
DEEPLAB_API const char* deeplab_model_label(const deeplab_model* model, int32_t class_id);

/* Width and height of the canvas that the file was made for, in pixels; 0 for a NULL model. */
DEEPLAB_API void deeplab_model_input_size(const deeplab_model* model, int32_t* width,
                                          int32_t* height);

typedef enum deeplab_element_type {
  DEEPLAB_FLOAT32 = 0,
  DEEPLAB_INT8 = 1,
  DEEPLAB_UINT8 = 2
} deeplab_element_type;

typedef enum deeplab_weights {
  DEEPLAB_WEIGHTS_FLOAT = 0,
  DEEPLAB_WEIGHTS_PER_TENSOR = 1, /* 8 bits, one scale per tensor */
  DEEPLAB_WEIGHTS_PER_CHANNEL = 2 /* 8 bits, one scale per output channel */
} deeplab_weights;

typedef enum deeplab_model_output {
  DEEPLAB_OUTPUT_SCORES = 0,        /* one score per class, no softmax */
  DEEPLAB_OUTPUT_PROBABILITIES = 1, /* softmax is part of the file */
  DEEPLAB_OUTPUT_LABELS = 2         /* arg-max is part of the file */
} deeplab_model_output;

/* What a model file says about itself. Strings are UTF-8, the model's, and "" if absent. */
typedef struct deeplab_model_info {
  size_t struct_size;
  const char* source; /* the path, "model in memory" or "the built-in model" */
  const char* name;   /* this and the next four: from the metadata */
  const char* description;
  const char* author;
  const char* license;
  const char* version;
  int32_t width; /* canvas that the file was made for, in pixels */
  int32_t height;
  int32_t class_count;
  int32_t weights;             /* deeplab_weights */
  int32_t input_type;          /* deeplab_element_type of the file's input tensor */
  int32_t output;              /* deeplab_model_output: what the file's own last op gives */
  int32_t labels_given;        /* 1: the metadata names the classes */
  int32_t normalization_given; /* 1: the metadata has mean and stddev; 0: these are defaults */
  float mean[3]; /* tensor value = (pixel - mean) / stddev, pixels 0..255, in R, G, B */
  float stddev[3];
  float input_scale; /* real = scale * (stored - zero_point); 1 and 0 for float32 */
  int32_t input_zero_point;
  int64_t file_macs; /* multiply-accumulates of one picture at that canvas */
} deeplab_model_info;
DEEPLAB_API deeplab_status deeplab_model_get_info(const deeplab_model* model,
                                                  deeplab_model_info* info);

/* Plans. Making a segmenter plans the network for one canvas, number of threads and ISA, and packs
 * the weights for it. Segmenters that agree in these, in their limits and in their allocator share
 * one plan; planning one does not delay segmenters of another. A plan lives as long as a
 * segmenter or stream uses it; `count` plans, those used last, live as long as the model instead,
 * so that a segmenter made again later costs no planning. 0, the default, to 1024. Any thread. */
DEEPLAB_API deeplab_status deeplab_model_keep_plans(deeplab_model* model, int32_t count);

/* ---- Pictures --------------------------------------------------------------------------- */

typedef enum deeplab_pixel_format {
  DEEPLAB_RGB8 = 0,
  DEEPLAB_BGR8 = 1,
  DEEPLAB_RGBA8 = 2, /* alpha is ignored */
  DEEPLAB_BGRA8 = 3,
  DEEPLAB_GRAY8 = 4,
  DEEPLAB_NV12 = 5, /* planes: Y; U and V in turn, one pair for 2x2 pixels, odd sizes rounded up */
  DEEPLAB_I420 = 6  /* planes: Y; U; V, one value each for 2x2 pixels, odd sizes rounded up */
} deeplab_pixel_format;

/* What Y, U and V mean. */
typedef enum deeplab_yuv_matrix { DEEPLAB_BT601 = 0, DEEPLAB_BT709 = 1 } deeplab_yuv_matrix;
typedef enum deeplab_yuv_range {
  DEEPLAB_RANGE_LIMITED = 0, /* Y 16..235, U and V 16..240 */
  DEEPLAB_RANGE_FULL = 1     /* 0..255 */
} deeplab_yuv_range;

/* A view of pixels that the caller owns: read in place during the call, never kept. `the picture`
 * below means the upright one: the region, mirrored if asked for, then rotated. */
typedef struct deeplab_image {
  size_t struct_size;
  const uint8_t* planes[3]; /* the first pixel of the top row of each; unused ones NULL */
  ptrdiff_t strides[3];     /* bytes from one row to the next; negative for bottom-up pictures */
  int32_t format;           /* deeplab_pixel_format */
  int32_t width;            /* of the stored picture, in pixels; 1 to 65535, at most 2^30 in all */
  int32_t height;
  int32_t yuv_matrix; /* deeplab_yuv_matrix; NV12 and I420 only */
  int32_t yuv_range;  /* deeplab_yuv_range; NV12 and I420 only */
  int32_t region_x;   /* part of the stored picture to look at, in its pixels */
  int32_t region_y;
  int32_t region_width; /* 0, 0: all of it */
  int32_t region_height;
  int32_t mirror;   /* 1: left and right are exchanged before the rotation */
  int32_t rotation; /* clockwise, in degrees, that makes it upright: 0, 90, 180 or 270 */
  int32_t reserved;
} deeplab_image;
DEEPLAB_API void deeplab_image_init(deeplab_image* image, size_t struct_size);

/* Size of the picture, in pixels: that of its masks, unless another is asked for. Checks the whole
 * struct, and reads no pixel. */
DEEPLAB_API deeplab_status deeplab_image_size(const deeplab_image* image, int32_t* width,
                                              int32_t* height);

/* How a picture is laid onto the network's input canvas. */
typedef enum deeplab_fit {
  DEEPLAB_FIT_PAD = 0,       /* TensorFlow's evaluation: top-left, shrunk only if too large */
  DEEPLAB_FIT_LETTERBOX = 1, /* scaled to fit, centred, aspect kept */
  DEEPLAB_FIT_STRETCH = 2    /* scaled to fill, aspect lost */
} deeplab_fit;

/* Where a picture lies on the canvas; the rest of the canvas is grey. All in pixels. */
typedef struct deeplab_placement {
  size_t struct_size;
  int32_t canvas_width;
  int32_t canvas_height;
  int32_t x; /* the picture's rectangle on the canvas */
  int32_t y;
  int32_t width;
  int32_t height;
  int32_t picture_width;
  int32_t picture_height;
} deeplab_placement;

/* Where a picture of this size would lie. `fit` is a deeplab_fit. */
DEEPLAB_API deeplab_status deeplab_place(int32_t fit, int32_t picture_width, int32_t picture_height,
                                         int32_t canvas_width, int32_t canvas_height,
                                         deeplab_placement* placement);

/* ---- Threads and memory ------------------------------------------------------------------ */

/* One call of work, which lies on the stack of the thread that calls run(). */
typedef void (*deeplab_task)(void* work, int32_t index);

/* The caller's own threads. */
typedef struct deeplab_runner {
  size_t struct_size;
  int32_t threads; /* 1 to 256: most tasks of one run() call */
  int32_t reserved;
  void* context;
  /* Calls task(work, i) once for every i in 0..count-1, on any threads, in any order or at the
   * same time, and returns after all of them have. count <= threads. A picture needs about a
   * hundred calls, some tens of microseconds apart. Segmenters that share the runner and run at
   * the same time call it at the same time. Must not fail. */
  void (*run)(void* context, deeplab_task task, void* work, int32_t count);
} deeplab_runner;
DEEPLAB_API void deeplab_runner_init(deeplab_runner* runner, size_t struct_size);

typedef struct deeplab_thread_pool deeplab_thread_pool;

/* A pool for any number of segmenters and streams: `threads` at work, the calling one included (1
 * to 256; 0: one per CPU). While one segmenter uses the pool, a second one that runs at the same
 * time computes on its own calling thread alone: nobody waits for anybody. */
DEEPLAB_API deeplab_status deeplab_thread_pool_create(int32_t threads, deeplab_thread_pool** pool);

/* A pool that starts no thread and hands its work to the runner, of which it keeps a copy. */
DEEPLAB_API deeplab_status deeplab_thread_pool_create_with_runner(const deeplab_runner* runner,
                                                                  deeplab_thread_pool** pool);

/* Segmenters that use the pool keep it alive. */
DEEPLAB_API void deeplab_thread_pool_free(deeplab_thread_pool* pool);

/* The large pieces of memory: packed weights, activations, scratch and scores. Lists and tables
 * still come from the C++ heap. */
typedef struct deeplab_allocator {
  size_t struct_size;
  void* context;
  /* At least `size` bytes (never 0), aligned to `alignment`, a power of 2 up to 64; NULL: none to
   * be had, which becomes DEEPLAB_RESOURCE_EXHAUSTED. Any thread. */
  void* (*allocate)(void* context, size_t size, size_t alignment);
  void (*release)(void* context, void* memory, size_t size);
} deeplab_allocator;
DEEPLAB_API void deeplab_allocator_init(deeplab_allocator* allocator, size_t struct_size);

/* ---- Segmenter -------------------------------------------------------------------------- */

/* What runs the network. What comes before and after it, the picture onto the canvas and the scores
 * to masks, is this library's own in either case. */
typedef enum deeplab_backend {
  DEEPLAB_BACKEND_ENGINE = 0, /* this library's kernels */
  DEEPLAB_BACKEND_TFLITE = 1  /* TensorFlow Lite's C library, opened at run time: for accelerators
                                 whose makers publish a delegate for it */
} deeplab_backend;

/* TensorFlow Lite's library and a delegate, the plugin through which it reaches an accelerator.
 * Both are code of others that runs in this process and is trusted; both stay loaded until the
 * process ends. */
typedef struct deeplab_tflite_options {
  size_t struct_size;
  /* A file, or a name that the system's loader searches for. NULL: libtensorflowlite_c.so, then
   * libtensorflow-lite.so. */
  const char* library;
  /* The delegate's library, a file or a name: anything that exports tflite_plugin_create_delegate()
   * and tflite_plugin_destroy_delegate(); or "xnnpack", the one inside TensorFlow Lite. NULL: none,
   * so that TensorFlow Lite's own kernels run everything. */
  const char* delegate;
  const char* const* delegate_keys; /* the delegate's options, by its own names */
  const char* const* delegate_values;
  int32_t delegate_option_count;
  /* 0 to 100: at least this share of the model's multiply-accumulates has to be the delegate's,
   * else DEEPLAB_UNSUPPORTED. A delegate may take nothing at all without an error. */
  float required_delegated_percent;
  /* A directory in which the delegate keeps what it has compiled, for the next start; of a delegate
   * that is not known to keep any: DEEPLAB_UNSUPPORTED. NULL: none. */
  const char* delegate_cache;
} deeplab_tflite_options;
DEEPLAB_API void deeplab_tflite_options_init(deeplab_tflite_options* options, size_t struct_size);

typedef struct deeplab_segmenter deeplab_segmenter;

typedef struct deeplab_segmenter_options {
  size_t struct_size;
  int32_t threads; /* 0: one per CPU; 1: the calling thread alone. Unused with a thread_pool */
  int32_t fit;     /* deeplab_fit */
  int32_t width;   /* input canvas in pixels; 0, 0: the model's own size */
  int32_t height;
  /* Not 0: mean and stddev below instead of the file's metadata, or instead of 127.5 and 127.5 if
   * it has none. tensor value = (pixel - mean) / stddev, pixels 0..255, in R, G, B order. */
  int32_t override_normalization;
  float mean[3];
  float stddev[3];
  /* Input pixels per cell of the network's coarsest feature map, along each side. 0: the file's
   * own. The file's own times 2, 4, ...: dilated convolutions become strided ones, with the same
   * weights; faster and less accurate. DEEPLAB_UNSUPPORTED: the network does not allow it. */
  int32_t output_stride;
  /* Limits against model files made to exhaust the machine: a model that needs more is
   * DEEPLAB_RESOURCE_EXHAUSTED before memory is taken or work done. 0: the default. */
  int64_t max_memory_bytes;           /* weights, activations, scratch, scores; 2^30 */
  int64_t max_macs;                   /* multiply-accumulates of one picture; 2^40 */
  const char* isa;                    /* kernel family, see deeplab_isa_name(); NULL: the fastest */
  deeplab_thread_pool* thread_pool;   /* NULL: a pool of its own, of `threads` */
  const deeplab_allocator* allocator; /* NULL: the C heap. A copy is kept; its functions must work
                                         until the segmenter, those that share its plan and, with
                                         deeplab_model_keep_plans(), the model are gone */
  /* Of pictures that follow each other, as those of a video: the weight of the scores before in an
   * exponential moving average with this picture's, 0 to below 1. Fewer pixels flicker from one
   * picture to the next. A cell of the score map whose class has clearly changed takes little of
   * the past, so that what moves does not drag. A picture of another size starts afresh, as does
   * deeplab_segmenter_reset(). 0, the default: every picture for itself. */
  float temporal;
  int32_t backend;                      /* deeplab_backend */
  const deeplab_tflite_options* tflite; /* of DEEPLAB_BACKEND_TFLITE; NULL: the defaults */
} deeplab_segmenter_options;

/* All CPUs, pad, the model's own size and normalization, the default limits, the fastest ISA. */
DEEPLAB_API void deeplab_segmenter_options_init(deeplab_segmenter_options* options,
                                                size_t struct_size);

/* Plans the network for the canvas and takes all memory that running it needs. `options` may be
 * NULL for the defaults. Any thread; the segmenter then belongs to one thread at a time. */
DEEPLAB_API deeplab_status deeplab_segmenter_create(const deeplab_model* model,
                                                    const deeplab_segmenter_options* options,
                                                    deeplab_segmenter** segmenter);
DEEPLAB_API void deeplab_segmenter_free(deeplab_segmenter* segmenter);

/* What a segmenter is. */
typedef struct deeplab_segmenter_info {
  size_t struct_size;
  int32_t canvas_width; /* pixels */
  int32_t canvas_height;
  int32_t scores_width; /* of deeplab_segmenter_scores() */
  int32_t scores_height;
  int32_t class_count;
  int32_t threads;      /* at work on one picture, the calling one included */
  const char* isa;      /* kernel family in use; static storage */
  int64_t macs;         /* multiply-accumulates of one picture */
  int64_t shared_bytes; /* packed weights, shared by all segmenters of the same plan */
  int64_t own_bytes;    /* activations, scratch and scores; of TensorFlow Lite only our own */
  int32_t backend;      /* deeplab_backend */
  float delegated;      /* share of the multiply-accumulates that TensorFlow Lite's delegate took,
                           0 to 1 */
} deeplab_segmenter_info;
DEEPLAB_API deeplab_status deeplab_segmenter_get_info(const deeplab_segmenter* segmenter,
                                                      deeplab_segmenter_info* info);

/* The same before there is a segmenter: what one with these options would be. Plans the network,
 * which takes milliseconds and, meanwhile, `shared_bytes`; takes none of `own_bytes` and starts no
 * thread. Errors as of deeplab_segmenter_create(). */
DEEPLAB_API deeplab_status deeplab_segmenter_estimate(const deeplab_model* model,
                                                      const deeplab_segmenter_options* options,
                                                      deeplab_segmenter_info* info);

/* The canvas that deeplab_choose_canvas() found. */
typedef struct deeplab_canvas {
  size_t struct_size;
  int32_t width; /* pixels */
  int32_t height;
  double milliseconds; /* of one picture, pixels to category mask at the picture's size */
} deeplab_canvas;

/* The largest canvas on which this machine segments pictures of this size as often as
 * `frames_per_second` per second, measured now, which takes some dozens of runs. Canvases have the
 * picture's proportions, are no larger than the model's own and no smaller than 129 pixels on the
 * long side. Leave room for what else a frame costs by asking for more. `options` as for
 * deeplab_segmenter_create(), without a canvas. DEEPLAB_RESOURCE_EXHAUSTED: no canvas is fast
 * enough. */
DEEPLAB_API deeplab_status deeplab_choose_canvas(const deeplab_model* model,
                                                 const deeplab_segmenter_options* options,
                                                 int32_t picture_width, int32_t picture_height,
                                                 double frames_per_second, deeplab_canvas* canvas);

/* How long a run may take, and who may stop it. Both are looked at between the steps of the
 * network, some dozens per picture, on the calling thread; in TensorFlow Lite before and after the
 * whole network. */
typedef struct deeplab_run_options {
  size_t struct_size;
  int32_t timeout_ms; /* from the call on; 0: no limit. DEEPLAB_DEADLINE_EXCEEDED after it */
  int32_t reserved;
  int32_t (*should_stop)(void* context); /* NULL, or not 0 for: stop. DEEPLAB_CANCELLED then */
  void* context;
} deeplab_run_options;
DEEPLAB_API void deeplab_run_options_init(deeplab_run_options* options, size_t struct_size);

/* Runs the network on one picture; the getters below refer to this picture until the next run.
 * `options` may be NULL. Allocates only if the picture is larger than any before it. After an
 * error there is no picture; the segmenter stays usable. */
DEEPLAB_API deeplab_status deeplab_segmenter_run(deeplab_segmenter* segmenter,
                                                 const deeplab_image* image,
                                                 const deeplab_run_options* options);

/* The next picture starts a sequence: for options.temporal, nothing comes before it. */
DEEPLAB_API deeplab_status deeplab_segmenter_reset(deeplab_segmenter* segmenter);

/* Where the last picture lies on the canvas. */
DEEPLAB_API deeplab_status deeplab_segmenter_placement(const deeplab_segmenter* segmenter,
                                                       deeplab_placement* placement);

/* Masks of the last picture, into the caller's memory. width and height are usually the picture's
 * (see deeplab_image_size()); any other size gives the same picture at that size. All masks are
 * made from the network's interpolated scores, never from a smaller mask, on all threads of the
 * segmenter.
 *
 * The category mask: `height` rows of `width` class ids, `stride` bytes apart. */
DEEPLAB_API deeplab_status deeplab_segmenter_category_mask(deeplab_segmenter* segmenter,
                                                           int32_t width, int32_t height,
                                                           uint8_t* mask, ptrdiff_t stride);

/* The probability, 0..1, that a pixel is of any class of a set: softmax over all classes, summed
 * over the `class_count` different ids. `stride` is in bytes and a multiple of sizeof(float). */
DEEPLAB_API deeplab_status deeplab_segmenter_confidence_mask(deeplab_segmenter* segmenter,
                                                             const int32_t* class_ids,
                                                             int32_t class_count, int32_t width,
                                                             int32_t height, float* mask,
                                                             ptrdiff_t stride);

/* The same of rows [row_begin, row_end) of that mask; row_begin goes to the first byte of `mask`.
 * Row ranges, since a mask of a large photo takes four bytes per pixel. */
DEEPLAB_API deeplab_status deeplab_segmenter_confidence_rows(
    deeplab_segmenter* segmenter, const int32_t* class_ids, int32_t class_count, int32_t width,
    int32_t height, int32_t row_begin, int32_t row_end, float* mask, ptrdiff_t stride);

/* The probability of every class at once, at the cost of one: rows [row_begin, row_end) of masks
 * of width x height. The value of class c at (x, y) is written to byte
 * c * class_stride + (y - row_begin) * stride + x * sizeof(float) of `masks`. Row ranges, since
 * all classes of a large photo are gigabytes. Strides are in bytes, multiples of sizeof(float);
 * rows must not overlap. */
DEEPLAB_API deeplab_status deeplab_segmenter_all_confidences(deeplab_segmenter* segmenter,
                                                             int32_t width, int32_t height,
                                                             int32_t row_begin, int32_t row_end,
                                                             float* masks, ptrdiff_t stride,
                                                             ptrdiff_t class_stride);

/* The probability of each pixel's most probable class: how sure the network is. */
DEEPLAB_API deeplab_status deeplab_segmenter_certainty_mask(deeplab_segmenter* segmenter,
                                                            int32_t width, int32_t height,
                                                            float* mask, ptrdiff_t stride);

/* The network's own scores (logits, no softmax) of the last picture, before any interpolation:
 * float [height][width][classes], row-major, the segmenter's, valid until the next run. They cover
 * the whole canvas, padding included: see deeplab_segmenter_placement(). */
DEEPLAB_API deeplab_status deeplab_segmenter_scores(deeplab_segmenter* segmenter,
                                                    const float** scores, int32_t* width,
                                                    int32_t* height, int32_t* classes);

/* Wall time of the last picture's stages, in milliseconds. */
typedef struct deeplab_timing {
  size_t struct_size;
  double prepare_ms; /* pixels -> input tensor */
  double infer_ms;   /* input tensor -> scores */
  double labels_ms;  /* scores -> the last category mask asked for */
} deeplab_timing;
DEEPLAB_API deeplab_status deeplab_segmenter_timing(const deeplab_segmenter* segmenter,
                                                    deeplab_timing* timing);

/* ---- Stream ----------------------------------------------------------------------------- */

/* Pictures are pushed in and come out in the same order with their masks. The network runs on a
 * thread of the stream's own, so decoding the next picture, inference and use of the previous mask
 * run in parallel. At most `capacity` pictures are inside, pushed and not yet pulled: push waits
 * if the reader is slow, and memory is bounded.
 *
 * Threads: push and finish belong to one thread at a time, pull to one at a time (the same or
 * another); flush and cancel may be called by any thread at any time. */
typedef struct deeplab_stream deeplab_stream;

typedef enum deeplab_stream_confidence {
  DEEPLAB_CONFIDENCE_NONE = 0,
  DEEPLAB_CONFIDENCE_SET = 1, /* one mask: any class of the set */
  DEEPLAB_CONFIDENCE_ALL = 2  /* one mask per class */
} deeplab_stream_confidence;

typedef struct deeplab_stream_options {
  size_t struct_size;
  const deeplab_segmenter_options* segmenter; /* NULL: the defaults. Their threads are the
                                                 network's, in addition to the caller's */
  int32_t capacity;      /* 1 to 64; 0: 3, one being made, one in the network, one being used */
  int32_t category_mask; /* 1: frames have one; 0: not */
  int32_t mask_width;    /* of all masks, in pixels; 0, 0: each picture's own */
  int32_t mask_height;
  int32_t confidence;  /* deeplab_stream_confidence */
  int32_t class_count; /* of the set */
  const int32_t* class_ids;
} deeplab_stream_options;

/* The default segmenter, capacity 3, category masks at each picture's own size. */
DEEPLAB_API void deeplab_stream_options_init(deeplab_stream_options* options, size_t struct_size);

/* `options` may be NULL for the defaults. */
DEEPLAB_API deeplab_status deeplab_stream_create(const deeplab_model* model,
                                                 const deeplab_stream_options* options,
                                                 deeplab_stream** stream);

/* Puts a picture in; `id` is the caller's and comes back with the mask. Its pixels are read, and
 * scaled to the canvas, before this returns: the caller may use the memory again at once. Waits
 * for room for up to timeout_ms milliseconds; 0 does not wait, a negative number waits without
 * limit. DEEPLAB_WOULD_BLOCK: no room in that time. DEEPLAB_STREAM_ENDED: finished or cancelled.
 * DEEPLAB_CANCELLED: flushed meanwhile. After these and any other error the picture is not inside,
 * and the stream continues. */
DEEPLAB_API deeplab_status deeplab_stream_push(deeplab_stream* stream, const deeplab_image* image,
                                               uint64_t id, int32_t timeout_ms);

/* A picture that has come out, with its masks. The caller's: it may outlive later pulls, the
 * stream and the model, and belong to any thread. Its memory goes back to the stream, if there
 * still is one, when it is freed. */
typedef struct deeplab_frame deeplab_frame;

/* The next picture, in the order of push; waits as push does. On success *frame is the caller's,
 * to be given to deeplab_frame_free(). DEEPLAB_WOULD_BLOCK: none was ready in time.
 * DEEPLAB_CANCELLED: the stream was flushed while this call waited. DEEPLAB_STREAM_ENDED:
 * cancelled, or finished and all pictures are out. */
DEEPLAB_API deeplab_status deeplab_stream_pull(deeplab_stream* stream, deeplab_frame** frame,
                                               int32_t timeout_ms);

/* Pointers are the frame's. */
typedef struct deeplab_frame_info {
  size_t struct_size;
  uint64_t id;
  int32_t status; /* deeplab_status of this picture; an error ends nothing but this picture */
  int32_t width;  /* of the picture, in pixels */
  int32_t height;
  int32_t mask_width; /* of its masks; 0 after an error */
  int32_t mask_height;
  int32_t confidence_count;     /* 0, 1, or the number of classes */
  const char* error;            /* one sentence; "" if status is DEEPLAB_OK */
  const uint8_t* category_mask; /* rows tight; NULL if not asked for, or after an error */
  const float* confidence;      /* [confidence_count][mask_height][mask_width], or NULL */
  double prepare_ms;            /* as in deeplab_timing; labels_ms: all masks */
  double infer_ms;
  double labels_ms;
} deeplab_frame_info;
DEEPLAB_API deeplab_status deeplab_frame_get_info(const deeplab_frame* frame,
                                                  deeplab_frame_info* info);
DEEPLAB_API void deeplab_frame_free(deeplab_frame* frame);

/* Drops what is inside, and reopens a stream that is finished: after a seek, the next picture
 * pushed is the next one pulled, and starts a sequence (see options.temporal). A pull or push that
 * is waiting gives DEEPLAB_CANCELLED. */
DEEPLAB_API void deeplab_stream_flush(deeplab_stream* stream);

/* No more pictures: those inside still come out, then pull gives DEEPLAB_STREAM_ENDED. */
DEEPLAB_API void deeplab_stream_finish(deeplab_stream* stream);

/* Drops what is inside, for good: calls that wait, and all later ones, give
 * DEEPLAB_STREAM_ENDED. The picture in the network is stopped. */
DEEPLAB_API void deeplab_stream_cancel(deeplab_stream* stream);

/* Cancels. No other thread may be in a call on the stream: cancel, join those threads, then free.
 * Frames that were pulled stay valid. */
DEEPLAB_API void deeplab_stream_free(deeplab_stream* stream);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* DEEPLAB_DEEPLAB_H_ */
