/* What the consumers in C and in C++ share: a small picture, and what must hold of its mask. */
#ifndef TESTS_INSTALL_PICTURE_H_
#define TESTS_INSTALL_PICTURE_H_

#include <deeplab/deeplab.h>
#include <stdio.h>
#include <string.h>

/* Of the picture and of the canvas: scores every 8 or 16 pixels then lie on pixels. */
enum { SIZE = 129 };

/* RGB, rows tight: a dark bottle on a light table before a wall. */
static void draw_picture(uint8_t pixels[SIZE * SIZE * 3]) {
  int x, y;
  for (y = 0; y < SIZE; ++y) {
    for (x = 0; x < SIZE; ++x) {
      const int half = y < 50 ? 8 : 22;
      const int bottle = y > 20 && y < 115 && x > 64 - half && x < 64 + half;
      uint8_t* pixel = pixels + (y * SIZE + x) * 3;
      pixel[0] = (uint8_t)(bottle ? 20 : y > 90 ? 200 : 150);
      pixel[1] = (uint8_t)(bottle ? 70 + x / 4 : y > 90 ? 170 : 160);
      pixel[2] = (uint8_t)(bottle ? 30 : y > 90 ? 120 : 170);
    }
  }
}

/* Does the mask have a best class wherever a score lies on a pixel, and only classes anywhere? And
 * do the scores say anything: not the same everywhere? Prints the first answer that is no. */
static int mask_follows_scores(const uint8_t mask[SIZE * SIZE], const float* scores, int width,
                               int height, int classes) {
  const int step = (SIZE - 1) / (width - 1);
  int x, y, i, differ = 0;
  if (width < 2 || width != height || step * (width - 1) != SIZE - 1) {
    printf("%dx%d scores do not lie on %d pixels\n", width, height, SIZE);
    return 0;
  }
  for (i = 0; i < SIZE * SIZE; ++i) {
    if (mask[i] >= classes) {
      printf("class %d of %d in the mask\n", mask[i], classes);
      return 0;
    }
  }
  for (y = 0; y < height; ++y) {
    for (x = 0; x < width; ++x) {
      const float* here = scores + (y * width + x) * classes;
      const int label = mask[(y * SIZE + x) * step];
      if (memcmp(here, scores, (size_t)classes * sizeof(float)) != 0) differ = 1;
      for (i = 0; i < classes; ++i) {
        if (here[i] > here[label]) {
          printf("at %d,%d the mask says %d, class %d scores more\n", x, y, label, i);
          return 0;
        }
      }
    }
  }
  if (!differ) printf("the scores are the same everywhere\n");
  return differ;
}

/* Are the header's three numbers, its text and the library's version the same? */
static int versions_agree(void) {
  char numbers[32];
  sprintf(numbers, "%d.%d.%d", DEEPLAB_VERSION_MAJOR, DEEPLAB_VERSION_MINOR, DEEPLAB_VERSION_PATCH);
  if (strcmp(numbers, DEEPLAB_VERSION) == 0 && strcmp(numbers, deeplab_version()) == 0) return 1;
  printf("header %s and %s, library %s\n", numbers, DEEPLAB_VERSION, deeplab_version());
  return 0;
}

#endif /* TESTS_INSTALL_PICTURE_H_ */
