"""A real encoder: ffmpeg, publishing to rtmp://127.0.0.1:{port}/{app}/{name}."""
import signal
import subprocess
import tempfile

from .rtmp import written_to

TEST_PICTURE = ("-re -f lavfi -i testsrc2=s=320x180:r=25 -f lavfi -i sine=frequency=440:r=44100 "
                "-c:v libx264 -preset ultrafast -tune zerolatency -g 25 -b:v 300k -pix_fmt yuv420p "
                "-c:a aac -b:a 64k").split()


class Publisher:
    """Starts at once. `source`: a file, sent as it is at its own speed; None: a test picture."""

    def __init__(self, port, name, app="live", source=None, arguments=None, realtime=True):
        if arguments is None:
            arguments = TEST_PICTURE if source is None else [
                *(["-re"] if realtime else []), "-i", str(source), "-c", "copy"]
        self.url = f"rtmp://127.0.0.1:{port}/{app}/{name}"
        self._log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["ffmpeg", "-v", "error", *arguments, "-flvflags", "no_duration_filesize", "-f", "flv",
             self.url], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log)

    @property
    def running(self):
        return self.process.poll() is None

    def wait(self, timeout=60):
        """Until it has sent all; its exit status."""
        return self.process.wait(timeout)

    def stop(self):
        """Says goodbye as an encoder does (FCUnpublish, deleteStream)."""
        if self.running:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """Dies without a word; the kernel closes the connection."""
        if self.running:
            self.process.kill()
        self.process.wait()

    def errors(self):
        return written_to(self._log)
