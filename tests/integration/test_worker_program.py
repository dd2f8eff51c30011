"""recording-worker beside nginx: there is always one, and never two that work."""
import os
import pathlib
import re
import signal
import subprocess
import unittest

from tests.integration.support import IntegrationTest, module_path, wait_for
from tests.integration.support.encoder import daemonize

PROGRAM = module_path().parent / "recording-worker"


def holder(server):
    """The pid of the program that has the lock; None: none has."""
    lock = server.runtime / "worker.lock"
    if not lock.exists():
        return None
    inode = lock.stat().st_ino
    for pid in server.recording_workers():
        try:
            infos = list(pathlib.Path(f"/proc/{pid}/fdinfo").iterdir())
        except OSError:
            continue
        for info in infos:
            try:
                # Only a descriptor whose open file has the lock shows it.
                if re.search(rf"^lock:.*:{inode} ", info.read_text(), re.M):
                    return pid
            except OSError:
                pass
    return None


class BesideNginx(IntegrationTest):
    def one_works(self, server, other_than=()):
        def found():
            pid = holder(server)
            return pid if pid and pid not in other_than else None
        return wait_for(found, 20, "a recording-worker has the lock")

    def only(self, server, pid):
        wait_for(lambda: server.recording_workers() == [pid], 20, "there is one program")

    def start(self, **arguments):
        server = self.start_nginx(worker=1, **arguments)
        pid = self.one_works(server)
        self.assertEqual(server.recording_workers(), [pid])
        return server, pid

    def test_one_for_all_workers_and_none_after_a_stop(self):
        server, pid = self.start(workers=3)
        nginx_has = os.getpriority(os.PRIO_PROCESS, server.workers()[0])
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, pid), min(nginx_has + 10, 19))
        server.stop()
        wait_for(lambda: not server.recording_workers(), 10, "it is gone")

    def test_no_secret_in_the_process_list(self):
        server, pid = self.start(recording="storage @prefix@/data/videos; min_free 1m; "
                                 "link_secret l1nk-s3cret; "
                                 "webhook http://127.0.0.1:9/ secret=h00k-s3cret;")
        self.assertEqual(server.conf.read_text().count("s3cret"), 2)
        for name in ("cmdline", "environ"):
            shown = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            self.assertNotIn(b"s3cret", shown, name)

    def test_off_starts_none(self):
        server = self.start_nginx()
        wait_for(lambda: (server.runtime / "state").exists(), 10, "a worker runs")
        self.assertEqual(server.recording_workers(), [])
        self.assertFalse((server.runtime / "worker.lock").exists())

    def test_it_is_started_again_when_it_dies(self):
        server, pid = self.start()
        os.kill(pid, signal.SIGKILL)
        after = self.one_works(server, other_than=[pid])
        self.only(server, after)
        self.assertIn("recording-worker was ended by signal 9; it is started again",
                      server.log_text())

    def test_a_reload_leaves_one(self):
        server, pid = self.start(workers=2)
        seen = [pid]
        for _ in range(3):
            server.reload()
            seen.append(self.one_works(server, other_than=seen))
        self.only(server, seen[-1])

    def test_while_the_old_worker_drains_for_a_publisher(self):
        server, pid = self.start()
        publisher = self.publish(server, "cam")
        wait_for(lambda: self.api(server).get("streams/live/cam").json.get("live"), 20, "it is live")
        server.reload()
        after = self.one_works(server, other_than=[pid])
        self.only(server, after)
        self.assertEqual(len(server.workers(shutting_down=True)), 2)
        publisher.kill()

    def test_a_reload_with_worker_off_ends_it(self):
        server, _ = self.start()
        server.conf.write_text(server.conf.read_text().replace("worker 1;", "worker off;"))
        server.reload()
        wait_for(lambda: not server.recording_workers(), 20, "it is gone")

    def test_a_killed_worker_process_takes_its_program_along(self):
        server, pid = self.start()
        server.kill_worker()
        after = self.one_works(server, other_than=[pid])
        self.only(server, after)

    def test_killed_nginx_leaves_none(self):
        server, _ = self.start(workers=2)
        server.allow("on signal 9")
        workers = server.workers()
        os.kill(server.process.pid, signal.SIGKILL)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        server.process.wait()
        wait_for(lambda: not list(server._session()), 20, "all are gone")
        server.start()
        self.only(server, self.one_works(server))

    def test_what_it_says_is_in_the_log(self):
        server, _ = self.start()
        wait_for(lambda: "[notice]" in server.log_text() and
                 "recording: recording-worker: started, 1 jobs at once" in server.log_text(), 10,
                 "its words are in nginx's log")

    def test_binary_upgrade(self):
        server = daemonize(self.make_nginx(worker=1)).start()
        pid = self.one_works(server)
        old = server.process.master()
        os.kill(old, signal.SIGUSR2)
        wait_for(lambda: len(server.recording_workers()) == 2, 20, "the new one's program waits")
        wait_for(lambda: server.process.master() != old, 20, "a new master runs")
        self.assertEqual(holder(server), pid)
        os.kill(old, signal.SIGQUIT)
        after = self.one_works(server, other_than=[pid])
        self.only(server, after)


class ByItself(IntegrationTest):
    def run_program(self, *arguments, **options):
        return subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=20, **options)

    def test_t_reads_nginx_conf(self):
        server = self.make_nginx()
        done = self.run_program("-c", server.conf, "-t")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("is good", done.stdout)

    def test_t_says_what_nginx_t_says(self):
        for inside in ("zone many;", "rendition 720p;", "worker 0;", "unknown;", "link_secret '';",
                       "zone 1m; zone 1m;", "webhook ftp://h/ secret=x;", "storage;"):
            with self.subTest(inside):
                server = self.make_nginx(
                    conf=f"recording {{\nstorage @prefix@/v; runtime @runtime@;\n{inside}\n}}\n")
                said = server.test()[1]
                done = self.run_program("-c", server.conf, "-t")
                self.assertEqual(done.returncode, 1)
                words = done.stdout.strip().removeprefix("recording-worker: ")
                self.assertIn(words, said)

    def test_wrong_usage(self):
        for arguments in ((), ("-x",), ("-c",), ("-c", "a", "b")):
            self.assertEqual(self.run_program(*arguments).returncode, 64)
        done = self.run_program("-c", "/nowhere/nginx.conf")
        self.assertEqual(done.returncode, 1)
        self.assertIn('open() "/nowhere/nginx.conf" failed', done.stdout)

    def test_beside_nginx_with_worker_off(self):
        server = self.start_nginx()
        with subprocess.Popen([PROGRAM, "-c", server.conf], stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as program:
            self.addCleanup(program.kill)
            self.assertIn("started", program.stderr.readline())
            owner = pathlib.Path(f"/proc/{program.pid}").stat().st_uid
            self.assertEqual(owner, server.runtime.stat().st_uid)  # as root it becomes nginx's user
            second = subprocess.Popen([PROGRAM, "-c", server.conf], stdin=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True)
            self.addCleanup(second.stderr.close)
            self.addCleanup(second.kill)
            self.assertIn("another recording-worker runs", second.stderr.readline())
            program.send_signal(signal.SIGTERM)
            self.assertIn("ended", program.stderr.readline())
            self.assertEqual(program.wait(10), 0)
            self.assertIn("started", second.stderr.readline())
            second.send_signal(signal.SIGTERM)
            self.assertEqual(second.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
