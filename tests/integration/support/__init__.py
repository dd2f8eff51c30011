"""What the integration tests share; a test module needs only these names."""
from .api import Api, Reply
from .case import IntegrationTest
from .media import (audio_packets, check_output, decoded_frames, duration_ms, make_media,
                    probe, probe_warnings)
from .nginx import Nginx, module_path
from .publish import Publisher
from .wait import wait_for

__all__ = ["Api", "IntegrationTest", "Nginx", "Publisher", "Reply", "audio_packets",
           "check_output", "decoded_frames", "duration_ms", "make_media", "module_path", "probe",
           "probe_warnings", "wait_for"]
