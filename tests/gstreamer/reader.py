"""reader.py PHOTO.jpg: an application in Python reads masks and messages, by nothing but GStreamer's own bindings.
Exit status 77: something that it needs is not installed."""
import sys

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstApp", "1.0")
    from gi.repository import Gst, GstApp  # noqa: F401  (GstApp gives the sink its methods)
    import numpy as np
except (ImportError, ValueError) as error:
    print(f"skipped: {error} (packages python3-gi, gir1.2-gstreamer-1.0, gir1.2-gst-plugins-base-1.0, python3-numpy)")
    sys.exit(77)

Gst.init(None)
if Gst.ElementFactory.find("jpegdec") is None:
    print("skipped: no element jpegdec (package gstreamer1.0-plugins-good)")
    sys.exit(77)


def read_mask(buffer):
    """Mask, names of the classes and their shares, of a frame."""
    meta = buffer.get_custom_meta("DeeplabSegmentationMeta").get_structure()
    mask = np.frombuffer(meta.get_value("mask").get_data(), np.uint8)
    mask = mask.reshape(meta.get_value("height"), meta.get_value("width"))
    fractions = np.frombuffer(meta.get_value("fractions").get_data(), np.float64)
    return mask, meta.get_value("labels"), fractions, meta.get_value("age")


def read_array(structure, name):
    array = structure.get_array(name)[1]
    return [array.get_nth(i) for i in range(array.n_values)]


def main():
    pipeline = Gst.parse_launch(
        f'filesrc location="{sys.argv[1]}" ! jpegdec ! imagefreeze num-buffers=3 ! videoconvert ! '
        "video/x-raw,format=RGB ! deeplabsegment name=segment interval=2 post-messages=true ! "
        "appsink name=sink sync=false")
    bus = pipeline.get_bus()
    sink = pipeline.get_by_name("sink")
    segment = pipeline.get_by_name("segment")
    pipeline.set_state(Gst.State.PLAYING)
    ages = []
    while (sample := sink.pull_sample()) is not None:
        mask, labels, fractions, age = read_mask(sample.get_buffer())
        caps = sample.get_caps().get_structure(0)
        assert mask.shape == (caps.get_value("height"), caps.get_value("width")), mask.shape
        assert labels == segment.props.labels and labels[8] == "cat" and len(labels) == 21, labels
        assert np.allclose(fractions, [(mask == i).mean() for i in range(21)])
        assert 0.1 < fractions[8] < 0.4, f"the cat covers {fractions[8]}"
        ages.append(age)
        message = bus.pop_filtered(Gst.MessageType.ELEMENT).get_structure()
        assert message.get_name() == "deeplab-segmentation"
        assert read_array(message, "classes")[:2] == ["background", "cat"], message.to_string()
        assert read_array(message, "class-ids")[:2] == [0, 8]
        assert np.allclose(read_array(message, "fractions")[:2], fractions[[0, 8]])
    pipeline.set_state(Gst.State.NULL)
    assert ages == [0, 1, 0], ages
    assert segment.props.last_ms > 0
    print(f"{len(ages)} frames read, the cat covers {fractions[8]:.3f}")


main()
