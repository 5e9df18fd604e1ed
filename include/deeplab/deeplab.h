/* deeplab.cpp: semantic segmentation on the CPU. The C99 interface.
 *
 *   deeplab_model*     a model file in memory; immutable, may be shared between threads
 *   deeplab_segmenter* runs it on pictures; one a thread, owns all working memory
 *   deeplab_stream*    runs it on one picture after the other on a thread of its own
 *
 * Every function that can fail returns a deeplab_status; deeplab_last_error() then gives one
 * sentence that says what was wrong with what. No function prints, exits, or lets a C++
 * exception out. Pointers that a function gives out stay valid as long as their owner does.
 */
#ifndef DEEPLAB_DEEPLAB_H_
#define DEEPLAB_DEEPLAB_H_

#include <stddef.h>
#include <stdint.h>

/* The version of this header; deeplab_version() is the library's, which a shared one may differ in
 * by its last number. Before 1.0 the second number, from then on the first, changes where the size
 * of a struct, the meaning of a value or a function's signature does, and the library's soname
 * with it. */
#define DEEPLAB_VERSION_MAJOR 0
#define DEEPLAB_VERSION_MINOR 1
#define DEEPLAB_VERSION_PATCH 0
#define DEEPLAB_VERSION "0.1.0"

#if defined(DEEPLAB_STATIC)
#define DEEPLAB_API
#else
#define DEEPLAB_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum deeplab_status {
  DEEPLAB_OK = 0,
  DEEPLAB_INVALID_ARGUMENT = 1,   /* an argument is out of range or inconsistent */
  DEEPLAB_INVALID_MODEL = 2,      /* the model file is damaged or contradicts itself */
  DEEPLAB_UNSUPPORTED = 3,        /* an op, type or format that is not handled */
  DEEPLAB_IO_ERROR = 4,           /* the system refused to open, read or write */
  DEEPLAB_INVALID_IMAGE = 5,      /* an image file is damaged or not an image */
  DEEPLAB_RESOURCE_EXHAUSTED = 6, /* out of memory, or over a stated limit */
  DEEPLAB_INTERNAL = 7,           /* a bug in deeplab.cpp */
  DEEPLAB_WOULD_BLOCK = 8,        /* a stream had no room, or nothing ready, in the time given */
  DEEPLAB_STREAM_ENDED = 9        /* a stream takes, or gives, no more pictures */
} deeplab_status;

/* The library's version, as DEEPLAB_VERSION; static storage. */
DEEPLAB_API const char* deeplab_version(void);

/* The sentence of the last call on this thread that failed, cut after 2047 bytes; "" if none has.
 * Valid until the next failing call on this thread. */
DEEPLAB_API const char* deeplab_last_error(void);

/* ---- Model ------------------------------------------------------------------------------ */

typedef struct deeplab_model deeplab_model;

/* Reads a .tflite file. On success *model is the caller's, to be given to deeplab_model_free();
 * on failure it is NULL. */
DEEPLAB_API deeplab_status deeplab_model_load_file(const char* path, deeplab_model** model);

/* The same from memory; `data` may be freed afterwards. */
DEEPLAB_API deeplab_status deeplab_model_load_memory(const void* data, size_t size,
                                                     deeplab_model** model);

/* Segmenters made from the model stay usable. NULL is allowed. */
DEEPLAB_API void deeplab_model_free(deeplab_model* model);

/* Number of classes, background (class 0) included. */
DEEPLAB_API int32_t deeplab_model_class_count(const deeplab_model* model);

/* Name of a class: from the file's metadata, else PASCAL VOC's where there are 21 classes, else
 * "class N". NULL for an id out of range. */
DEEPLAB_API const char* deeplab_model_label(const deeplab_model* model, int32_t class_id);

/* Width and height the file was made for, in pixels. */
DEEPLAB_API void deeplab_model_input_size(const deeplab_model* model, int32_t* width,
                                          int32_t* height);

/* The colour of a class in the PASCAL VOC palette, as R, G, B. */
DEEPLAB_API void deeplab_class_color(int32_t class_id, uint8_t rgb[3]);

/* ---- Pictures --------------------------------------------------------------------------- */

typedef enum deeplab_pixel_format {
  DEEPLAB_RGB8 = 0,
  DEEPLAB_BGR8 = 1,
  DEEPLAB_RGBA8 = 2, /* alpha is ignored */
  DEEPLAB_BGRA8 = 3,
  DEEPLAB_GRAY8 = 4
} deeplab_pixel_format;

/* A view of pixels that the caller owns: read in place, never copied or kept. */
typedef struct deeplab_image {
  const uint8_t* data; /* first pixel of the top row */
  int32_t width;       /* pixels */
  int32_t height;
  ptrdiff_t stride; /* bytes from one row to the next; negative for bottom-up pictures */
  deeplab_pixel_format format;
} deeplab_image;

/* How a photo is laid onto the network's input canvas. */
typedef enum deeplab_fit {
  DEEPLAB_FIT_PAD = 0,       /* TensorFlow's evaluation: top-left, shrunk only if too large */
  DEEPLAB_FIT_LETTERBOX = 1, /* scaled to fit, centred, aspect kept */
  DEEPLAB_FIT_STRETCH = 2    /* scaled to fill, aspect lost */
} deeplab_fit;

/* ---- Segmenter -------------------------------------------------------------------------- */

typedef struct deeplab_segmenter deeplab_segmenter;

typedef struct deeplab_options {
  size_t struct_size; /* set by deeplab_options_init() */
  int32_t threads;    /* 0: one per CPU */
  deeplab_fit fit;
  int32_t width; /* input canvas in pixels; 0, 0: the model's own size */
  int32_t height;
  /* tensor value = (pixel - mean) / stddev, pixels 0..255, in R, G, B order. Used where
   * override_normalization is not 0; else the file's metadata, else 127.5 and 127.5. */
  int32_t override_normalization;
  float mean[3];
  float stddev[3];
  /* What a model may ask for, against files that are made to exhaust the machine: more is
   * DEEPLAB_RESOURCE_EXHAUSTED, before memory is taken or work done. 0: the default. */
  int64_t max_memory_bytes; /* weights, activations, scratch; 2^30 */
  int64_t max_macs;         /* multiply-accumulates of one picture; 2^40 */
} deeplab_options;

/* The defaults: all CPUs, pad, the model's own size, the model's own normalization, the default
 * limits. */
DEEPLAB_API void deeplab_options_init(deeplab_options* options);

/* Plans the network for the canvas and takes all memory it needs. `options` may be NULL. */
DEEPLAB_API deeplab_status deeplab_segmenter_create(const deeplab_model* model,
                                                    const deeplab_options* options,
                                                    deeplab_segmenter** segmenter);
DEEPLAB_API void deeplab_segmenter_free(deeplab_segmenter* segmenter);

/* Runs the network on one picture. The results below speak of it until the next run. */
DEEPLAB_API deeplab_status deeplab_segmenter_run(deeplab_segmenter* segmenter,
                                                 const deeplab_image* image);

/* The category mask of the last picture: `height` rows of `width` class ids, `stride` bytes
 * apart, into the caller's memory. width and height are usually the picture's own; any other
 * size gives the same picture's mask at that size. Made from the network's scores,
 * interpolated, never from a smaller mask. */
DEEPLAB_API deeplab_status deeplab_segmenter_category_mask(deeplab_segmenter* segmenter,
                                                           int32_t width, int32_t height,
                                                           uint8_t* mask, ptrdiff_t stride);

/* The confidence mask of one class, 0..1: softmax over the classes of the interpolated scores.
 * `stride` is in bytes and a multiple of sizeof(float). */
DEEPLAB_API deeplab_status deeplab_segmenter_confidence_mask(deeplab_segmenter* segmenter,
                                                             int32_t class_id, int32_t width,
                                                             int32_t height, float* mask,
                                                             ptrdiff_t stride);

/* The network's own scores (logits) of the last picture, before any interpolation: float
 * [height][width][classes], row-major, owned by the segmenter, valid until the next run. The
 * canvas they cover includes padding. */
DEEPLAB_API deeplab_status deeplab_segmenter_scores(deeplab_segmenter* segmenter,
                                                    const float** scores, int32_t* width,
                                                    int32_t* height, int32_t* classes);

/* Wall time of the last picture's stages, in milliseconds. */
typedef struct deeplab_timing {
  double prepare_ms; /* pixels -> input tensor */
  double infer_ms;   /* input tensor -> scores */
  double labels_ms;  /* scores -> the last category mask asked for */
} deeplab_timing;
DEEPLAB_API deeplab_timing deeplab_segmenter_timing(const deeplab_segmenter* segmenter);

/* ---- Stream ----------------------------------------------------------------------------- */

/* Pictures are pushed in and come out in the same order with their masks. The network runs on a
 * thread of the stream's own, so that decoding the next picture and using the last mask happen
 * meanwhile. At most `capacity` pictures are inside, pushed and not pulled: push waits where the
 * reader is slow, and memory is bounded.
 *
 * Threads: push and finish belong to one thread at a time, pull to one at a time (the same or
 * another); cancel may be called by any thread at any time. */
typedef struct deeplab_stream deeplab_stream;

/* `options` as for a segmenter; their threads are the network's, in addition to the caller's.
 * `capacity` is 1 to 64, or 0 for 3: one in work, one before it and one behind it. */
DEEPLAB_API deeplab_status deeplab_stream_create(const deeplab_model* model,
                                                 const deeplab_options* options, int32_t capacity,
                                                 deeplab_stream** stream);

/* Puts a picture in; `id` is the caller's and comes back with the mask. Its pixels are read, and
 * scaled to the canvas, before this returns: the caller may use the memory again at once. Waits
 * for room for up to timeout_ms milliseconds; 0 does not wait, a negative number waits for ever.
 * DEEPLAB_WOULD_BLOCK: no room in that time. DEEPLAB_STREAM_ENDED: finished or cancelled. After
 * these and any other error the picture is not inside, and the stream goes on. */
DEEPLAB_API deeplab_status deeplab_stream_push(deeplab_stream* stream, const deeplab_image* image,
                                               uint64_t id, int32_t timeout_ms);

/* A picture that has come out. All memory is the stream's, and valid until the next pull. */
typedef struct deeplab_frame {
  uint64_t id;
  deeplab_status status; /* of this picture; an error ends nothing but this picture */
  const char* error;     /* one sentence; "" where status is DEEPLAB_OK */
  int32_t width;         /* the picture's own size */
  int32_t height;
  const uint8_t* mask; /* category mask, rows tight; NULL where status is not DEEPLAB_OK */
  deeplab_timing timing;
} deeplab_frame;

/* The next picture, in the order of push; waits as push does. Gives the one of the last pull back,
 * whatever comes of the call. DEEPLAB_WOULD_BLOCK: none was ready in time. DEEPLAB_STREAM_ENDED:
 * cancelled, or finished and all are out. Where it fails, *frame is all 0 but for `error`, "". */
DEEPLAB_API deeplab_status deeplab_stream_pull(deeplab_stream* stream, deeplab_frame* frame,
                                               int32_t timeout_ms);

/* No more pictures: those inside still come out, then pull says DEEPLAB_STREAM_ENDED. */
DEEPLAB_API void deeplab_stream_finish(deeplab_stream* stream);

/* Drops what is inside; calls that wait, and all later ones, give DEEPLAB_STREAM_ENDED. */
DEEPLAB_API void deeplab_stream_cancel(deeplab_stream* stream);

/* Cancels and waits for the picture in work. No other thread may be in a call on the stream:
 * cancel, join those threads, then free. NULL is allowed. */
DEEPLAB_API void deeplab_stream_free(deeplab_stream* stream);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* DEEPLAB_DEEPLAB_H_ */
