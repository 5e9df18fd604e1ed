"""Photos of the datasets beside the repository: the package's masks have the command line's bytes."""

import unittest

from common import compare_with_command, test_data

PHOTOS = 50


class Photos(unittest.TestCase):
    def test_photos_of_two_datasets(self):
        """The first 25 val photos of each."""
        photos = []
        for dataset in ("voc2012", "coco_voc21"):
            folder = test_data(dataset)
            names = (folder / "ImageSets" / "Segmentation" / "val.txt").read_text().split()[: PHOTOS // 2]
            photos += [next((folder / "JPEGImages").glob(f"{name}.*")) for name in names]
        self.assertEqual(len(photos), PHOTOS)
        compare_with_command(self, photos)
        print(f"the masks of {len(photos)} photos have the command line's bytes")


if __name__ == "__main__":
    unittest.main()
