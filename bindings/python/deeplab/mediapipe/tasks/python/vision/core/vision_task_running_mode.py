"""How pictures arrive."""

import enum


class VisionTaskRunningMode(enum.Enum):
    """IMAGE: segment(). VIDEO: segment_for_video(). LIVE_STREAM: segment_async() and a callback."""

    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    LIVE_STREAM = "LIVE_STREAM"
