"""A program for MediaPipe's own interface, as its guide for the ImageSegmenter teaches it. Only the import line is
ours: `import mediapipe as mp` in the original. Usage: mediapipe_script.py MODEL PHOTO"""

import sys

import deeplab.mediapipe as mp
import numpy as np

BG_COLOR = (192, 192, 192)
MASK_COLOR = (255, 255, 255)

BaseOptions = mp.tasks.BaseOptions
ImageSegmenter = mp.tasks.vision.ImageSegmenter
ImageSegmenterOptions = mp.tasks.vision.ImageSegmenterOptions
RunningMode = mp.tasks.vision.RunningMode


def main(model_path, photo_path):
    options = ImageSegmenterOptions(
        base_options=BaseOptions(model_asset_path=model_path),
        running_mode=RunningMode.IMAGE,
        output_category_mask=True,
        output_confidence_masks=True,
    )
    with ImageSegmenter.create_from_options(options) as segmenter:
        image = mp.Image.create_from_file(photo_path)
        result = segmenter.segment(image)
        category_mask = result.category_mask

        image_data = image.numpy_view()
        foreground = np.zeros(image_data.shape, dtype=np.uint8)
        foreground[:] = MASK_COLOR
        background = np.zeros(image_data.shape, dtype=np.uint8)
        background[:] = BG_COLOR
        condition = np.stack((category_mask.numpy_view(),) * 3, axis=-1) > 0.2
        output = np.where(condition, foreground, background)

        found = np.unique(category_mask.numpy_view())
        print("classes:", ", ".join(segmenter.labels[index] for index in found))
        print("foreground:", round(float((output == 255).all(axis=-1).mean()), 3))
        cat = result.confidence_masks[segmenter.labels.index("cat")].numpy_view()
        print("cat:", cat.shape, cat.dtype, round(float(cat.max()), 2))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
