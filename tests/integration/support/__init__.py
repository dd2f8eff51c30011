"""What the integration tests share; a test module needs only these names."""
from .api import Api, Reply
from .case import IntegrationTest
from .compare import differences, packets, pictures
from .flv import flv_messages, fnv1a, message_sample, mp4_samples
from .media import (audio_packets, check_output, decoded_frames, duration_ms, make_media,
                    probe, probe_warnings)
from .nginx import Nginx, is_sanitized, module_path, testing_module_path
from .publish import Publisher
from .recording import AT_ONCE, AUTOMATIC, BY_HAND, RecordingTest, test_clip
from .rtmp import RtmpPublisher
from .wait import wait_for

__all__ = ["AT_ONCE", "AUTOMATIC", "Api", "BY_HAND", "IntegrationTest", "Nginx", "Publisher",
           "RecordingTest", "Reply", "RtmpPublisher", "audio_packets", "check_output",
           "decoded_frames", "differences", "duration_ms", "flv_messages", "fnv1a", "is_sanitized",
           "make_media", "message_sample", "module_path", "mp4_samples", "packets", "pictures",
           "probe", "probe_warnings", "test_clip", "testing_module_path", "wait_for"]
