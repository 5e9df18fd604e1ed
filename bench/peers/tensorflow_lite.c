/* One process, one interpreter of TensorFlow Lite with XNNPACK, one picture:
 *   tensorflow_lite LIBRARY MODEL.tflite PICTURE.ppm THREADS RUNS [LABELS]
 * Prints {"version", "create_ms", "ms": [...]}; LABELS gets the label map, a byte per pixel. What
 * is timed is TfLiteInterpreterInvoke() and, for a model that gives float scores, the search for
 * the highest one: tensor in, label map out. The library is opened at run time; what of its C
 * interface is used is declared here. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Opaque Opaque;
enum { kFloat32 = 1, kUInt8 = 3, kInt64 = 4, kInt8 = 9 };

static void fail(const char* what) {
  fprintf(stderr, "tensorflow_lite: %s\n", what);
  exit(1);
}
static void* library;
static void* function(const char* name) {
  void* found = dlsym(library, name);
  if (found == NULL) fail(name);
  return found;
}
#define DECLARE(result, name, ...) \
  result (*name)(__VA_ARGS__) = (result(*)(__VA_ARGS__))function(#name)

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static uint8_t* read_ppm(const char* path, int* width, int* height) {
  FILE* file = fopen(path, "rb");
  if (file == NULL || fscanf(file, "P6 %d %d 255", width, height) != 2 || fgetc(file) == EOF)
    fail(path);
  const size_t bytes = (size_t)*width * (size_t)*height * 3;
  uint8_t* pixels = malloc(bytes);
  if (pixels == NULL || fread(pixels, 1, bytes, file) != bytes) fail(path);
  fclose(file);
  return pixels;
}

int main(int argc, char** argv) {
  if (argc < 6) fail("expected LIBRARY MODEL PICTURE THREADS RUNS [LABELS]");
  library = dlopen(argv[1], RTLD_NOW);
  if (library == NULL) fail(dlerror());
  int width, height;
  uint8_t* pixels = read_ppm(argv[3], &width, &height);
  const size_t values = (size_t)width * (size_t)height * 3;
  const size_t count = (size_t)width * (size_t)height;
  const int threads = atoi(argv[4]);
  const int runs = atoi(argv[5]);

  DECLARE(const char*, TfLiteVersion, void);
  DECLARE(Opaque*, TfLiteModelCreateFromFile, const char*);
  DECLARE(Opaque*, TfLiteInterpreterOptionsCreate, void);
  DECLARE(void, TfLiteInterpreterOptionsSetNumThreads, Opaque*, int32_t);
  DECLARE(void, TfLiteInterpreterOptionsAddDelegate, Opaque*, void*);
  DECLARE(void*, TfLiteXNNPackDelegateCreate, const void*);
  DECLARE(Opaque*, TfLiteInterpreterCreate, const Opaque*, const Opaque*);
  DECLARE(int, TfLiteInterpreterAllocateTensors, Opaque*);
  DECLARE(int, TfLiteInterpreterInvoke, Opaque*);
  DECLARE(Opaque*, TfLiteInterpreterGetInputTensor, const Opaque*, int32_t);
  DECLARE(const Opaque*, TfLiteInterpreterGetOutputTensor, const Opaque*, int32_t);
  DECLARE(int, TfLiteTensorType, const Opaque*);
  DECLARE(size_t, TfLiteTensorByteSize, const Opaque*);
  DECLARE(void*, TfLiteTensorData, const Opaque*);

  double start = now_ms();
  Opaque* model = TfLiteModelCreateFromFile(argv[2]);
  if (model == NULL) fail(argv[2]);
  Opaque* options = TfLiteInterpreterOptionsCreate();
  TfLiteInterpreterOptionsSetNumThreads(options, threads);
  /* Threads, then flags: both quantized types on. The zeros after them are what later versions add.
   */
  int32_t xnnpack[32] = {threads, 1 | 2};
  TfLiteInterpreterOptionsAddDelegate(options, TfLiteXNNPackDelegateCreate(xnnpack));
  Opaque* interpreter = TfLiteInterpreterCreate(model, options);
  if (interpreter == NULL || TfLiteInterpreterAllocateTensors(interpreter) != 0)
    fail("no interpreter");
  const double create_ms = now_ms() - start;

  Opaque* input = TfLiteInterpreterGetInputTensor(interpreter, 0);
  const int type = TfLiteTensorType(input);
  const size_t size = type == kFloat32 ? sizeof(float) : 1;
  if (TfLiteTensorByteSize(input) != values * size) fail("the picture is not of the model's size");
  void* tensor = TfLiteTensorData(input);
  for (size_t i = 0; i < values; ++i) {
    if (type == kFloat32) {
      ((float*)tensor)[i] = (float)pixels[i] / 127.5f - 1.0f;
    } else {
      ((uint8_t*)tensor)[i] = type == kInt8 ? pixels[i] ^ 0x80 : pixels[i];
    }
  }
  const Opaque* output = TfLiteInterpreterGetOutputTensor(interpreter, 0);
  const int output_type = TfLiteTensorType(output);
  if (output_type != kFloat32 && output_type != kInt64)
    fail("expected float32 scores or an int64 label map");
  const size_t classes = TfLiteTensorByteSize(output) / (output_type == kFloat32 ? 4 : 8) / count;
  uint8_t* labels = malloc(count);
  double* ms = malloc((size_t)(runs + 1) * sizeof *ms);
  if (labels == NULL || ms == NULL) fail("no memory");

  int done = 0;
  const double warm = now_ms() + 300;
  while (done < runs) {
    start = now_ms();
    if (TfLiteInterpreterInvoke(interpreter) != 0) fail("the run failed");
    const void* data = TfLiteTensorData(output);
    for (size_t i = 0; i < count; ++i) {
      if (output_type == kInt64) {
        labels[i] = (uint8_t)((const int64_t*)data)[i];
        continue;
      }
      const float* scores = (const float*)data + i * classes;
      size_t best = 0;
      for (size_t c = 1; c < classes; ++c) {
        if (scores[c] > scores[best]) best = c;
      }
      labels[i] = (uint8_t)best;
    }
    ms[done] = now_ms() - start;
    if (start > warm) ++done;
  }
  if (argc > 6) {
    FILE* file = fopen(argv[6], "wb");
    if (file == NULL || fwrite(labels, 1, count, file) != count || fclose(file) != 0) fail(argv[6]);
  }
  printf("{\"version\": \"%s\", \"create_ms\": %.3f, \"ms\": [", TfLiteVersion(), create_ms);
  for (int i = 0; i < runs; ++i) printf("%s%.4f", i == 0 ? "" : ", ", ms[i]);
  printf("]}\n");
  return 0;
}
