/* deeplab.cpp: what can be made of masks. C99; see deeplab.h for the rules on errors, structs and
 * ownership. No model and no segmenter is needed. All functions may be called by any thread, and
 * write to the caller's memory only.
 *
 * A category mask here is `height` rows of `width` class ids, `stride` bytes apart, 1 to 65535
 * pixels per side; 255 means: ignored. `the picture` is the upright one, see deeplab_image.
 */
#ifndef DEEPLAB_DEEPLAB_DRAW_H_
#define DEEPLAB_DEEPLAB_DRAW_H_

#include "deeplab/deeplab.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Colours ---------------------------------------------------------------------------- */

/* Bytes of a palette: R, G, B for each of the ids 0..255. */
#define DEEPLAB_PALETTE_BYTES 768

/* Fills a palette by name: "voc", PASCAL VOC's, the default everywhere; "cityscapes", the 19
 * training classes, "ade20k", the 150 classes of scene parsing, the rest as VOC's.
 * DEEPLAB_UNSUPPORTED: another name. */
DEEPLAB_API deeplab_status deeplab_palette(const char* name, uint8_t palette[768]);

/* The colour of a class in the PASCAL VOC palette, as R, G, B; black for ids outside 0..255. */
DEEPLAB_API void deeplab_class_color(int32_t class_id, uint8_t rgb[3]);

/* Each pixel in its class's colour: R, G, B, `rgb_stride` bytes from row to row. `palette` may be
 * NULL for VOC's. */
DEEPLAB_API deeplab_status deeplab_colorize(const uint8_t* mask, int32_t width, int32_t height,
                                            ptrdiff_t stride, const uint8_t* palette, uint8_t* rgb,
                                            ptrdiff_t rgb_stride);

/* Pixels of each id 0..255. */
DEEPLAB_API deeplab_status deeplab_count_pixels(const uint8_t* mask, int32_t width, int32_t height,
                                                ptrdiff_t stride, int64_t pixels[256]);

/* ---- Overlay ---------------------------------------------------------------------------- */

/* The mask in colours over the picture, background (class 0) left as it is. */
typedef struct deeplab_overlay_options {
  size_t struct_size;
  float opacity;    /* of the colours, 0..1; 0.55 */
  int32_t contours; /* 1: a light line along the edges of classes, the default */
  int32_t legend;   /* 1: swatch, name and share of each class found, the default */
  int32_t label_count;
  const char* const* labels; /* names by class id, UTF-8; ids without one are called "class N" */
  const uint8_t* palette;    /* see deeplab_palette(); NULL: VOC's */
} deeplab_overlay_options;
DEEPLAB_API void deeplab_overlay_options_init(deeplab_overlay_options* options, size_t struct_size);

/* The whole picture at once, into rows of R, G, B `rgb_stride` bytes apart. The mask has the
 * picture's size. An RGB8 image that is neither turned nor mirrored may be its own output. */
DEEPLAB_API deeplab_status deeplab_draw_overlay(const deeplab_image* image, const uint8_t* mask,
                                                ptrdiff_t stride,
                                                const deeplab_overlay_options* options,
                                                uint8_t* rgb, ptrdiff_t rgb_stride);

/* The same row by row, for pictures that nobody holds as a whole. */
typedef struct deeplab_overlay deeplab_overlay;

/* The mask's memory must outlive the overlay, and must not change. */
DEEPLAB_API deeplab_status deeplab_overlay_create(const uint8_t* mask, int32_t width,
                                                  int32_t height, ptrdiff_t stride,
                                                  const deeplab_overlay_options* options,
                                                  deeplab_overlay** overlay);

/* Draws over row y of the picture: `width` pixels of R, G, B. Rows in any order, by any threads. */
DEEPLAB_API deeplab_status deeplab_overlay_draw_row(const deeplab_overlay* overlay, int32_t y,
                                                    uint8_t* rgb);
DEEPLAB_API void deeplab_overlay_free(deeplab_overlay* overlay);

/* ---- Cut-out ---------------------------------------------------------------------------- */

/* The picture as R, G, B, A with soft edges. `confidence` is a mask of the picture's size from
 * deeplab_segmenter_confidence_mask(), rows `confidence_stride` bytes apart: below 0.2 a pixel is
 * transparent, above 0.8 opaque, in between linear. */
DEEPLAB_API deeplab_status deeplab_cut_out(const deeplab_image* image, const float* confidence,
                                           ptrdiff_t confidence_stride, uint8_t* rgba,
                                           ptrdiff_t rgba_stride);

/* ---- Blur ------------------------------------------------------------------------------- */

/* The picture with its background out of focus, into rows of R, G, B `rgb_stride` bytes apart.
 * `confidence` says what stays sharp, with soft edges as in deeplab_cut_out(). The rest is blurred
 * up to about `radius` pixels far, nearly without the colours of what stays sharp: 1 to 1024, or 0
 * for a twentieth of the picture's shorter side (at least 1, at most 1024). An RGB8 image that is
 * neither turned nor mirrored may be its own output. */
DEEPLAB_API deeplab_status deeplab_blur_background(const deeplab_image* image,
                                                   const float* confidence,
                                                   ptrdiff_t confidence_stride, int32_t radius,
                                                   uint8_t* rgb, ptrdiff_t rgb_stride);

/* ---- Polygons --------------------------------------------------------------------------- */

/* Regions are pixels of one class that hang together over their sides (4-connected). Points are
 * corners of pixels: (0, 0) is the top left corner of the mask, (width, height) the bottom right
 * one, as in COCO's annotations. */
typedef struct deeplab_polygon_options {
  size_t struct_size;
  int64_t min_area;   /* smaller regions are left out, smaller holes closed, in pixels; 1 */
  double tolerance;   /* how far, in pixels, an outline may move to lose points; 0: not at all */
  int32_t background; /* 1: class 0, too; 0, the default: not. Ignored pixels never are */
  int32_t reserved;
} deeplab_polygon_options;
DEEPLAB_API void deeplab_polygon_options_init(deeplab_polygon_options* options, size_t struct_size);

typedef struct deeplab_polygons deeplab_polygons;

/* Traces all regions, ordered by the first pixel of each in reading order. */
DEEPLAB_API deeplab_status deeplab_polygons_trace(const uint8_t* mask, int32_t width,
                                                  int32_t height, ptrdiff_t stride,
                                                  const deeplab_polygon_options* options,
                                                  deeplab_polygons** polygons);

/* Number of regions; 0 for NULL. */
DEEPLAB_API int32_t deeplab_polygons_count(const deeplab_polygons* polygons);

typedef struct deeplab_region {
  size_t struct_size;
  int64_t area; /* pixels, exact whatever the tolerance */
  int32_t class_id;
  int32_t x; /* the smallest rectangle of pixels around it: COCO's bbox */
  int32_t y;
  int32_t width;
  int32_t height;
  int32_t ring_count; /* the outline, clockwise on the screen, then its holes, the other way */
} deeplab_region;
DEEPLAB_API deeplab_status deeplab_polygons_region(const deeplab_polygons* polygons, int32_t index,
                                                   deeplab_region* region);

/* The points of a ring, x and y in turn; the last one joins the first, which is not repeated. */
DEEPLAB_API deeplab_status deeplab_polygons_ring(const deeplab_polygons* polygons, int32_t index,
                                                 int32_t ring, const int32_t** points,
                                                 int32_t* point_count);
DEEPLAB_API void deeplab_polygons_free(deeplab_polygons* polygons);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* DEEPLAB_DEEPLAB_DRAW_H_ */
