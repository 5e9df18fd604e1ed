"""python -m deeplab PHOTO [MODEL.tflite]: prints what is in a photo, and writes PHOTO.mask.png and PHOTO.overlay.png
into the current directory. Needs Pillow."""

import os
import pathlib
import sys

import deeplab


def main() -> int:
    if not 2 <= len(sys.argv) <= 3 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        from PIL import Image, ImageOps

        photo = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
        model = deeplab.Model(*sys.argv[2:])
        result = deeplab.Segmenter(model, isa=os.environ.get("DEEPLAB_ISA")).segment(photo)
    except ImportError:
        print("deeplab: photos are read by Pillow, which is not installed (python3-pil)", file=sys.stderr)
        return 1
    except (deeplab.Error, OSError) as error:
        print(f"deeplab: {error}", file=sys.stderr)
        return 1
    stem = pathlib.Path(sys.argv[1]).stem
    pathlib.Path(f"{stem}.mask.png").write_bytes(result.mask_png())
    pathlib.Path(f"{stem}.overlay.png").write_bytes(deeplab.png.encode(result.overlay()))
    print(f"{sys.argv[1]}:", ", ".join(f"{label} {share:.1%}" for label, share in result.fractions.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
