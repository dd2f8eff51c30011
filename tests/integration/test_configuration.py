"""nginx -t and starting: what is accepted, what is refused, and how it is said."""
import os
import stat
import subprocess
import tempfile
import unittest

from tests.integration.support import IntegrationTest, module_path, wait_for

BLOCK = "recording { storage @prefix@/data/videos; runtime @runtime@; }\n"
RTMP = "rtmp { server { listen 127.0.0.1:@rtmp_port@; application live { live on; %s } } }\n"
HTTP = "http { access_log off; %s server { listen 127.0.0.1:@http_port@; %s } }\n"
COLD_READS = "sendfile on; aio threads;"


class RecordingBlock(IntegrationTest):
    def refused(self, inside, *expected, block="recording {\nstorage @prefix@/data/videos;\n%s\n}\n"):
        server = self.make_nginx(conf=block % inside)
        accepted, said = server.test()
        self.assertFalse(accepted, f"{inside} was accepted: {said}")
        for text in expected:
            self.assertIn(server.fill(text), said, inside)

    def accepted(self, inside):
        server = self.make_nginx(conf="recording { storage @prefix@/data/videos; runtime @runtime@; "
                                      f"{inside} }}\n")
        accepted, said = server.test()
        self.assertTrue(accepted, f"{inside}: {said}")
        self.assertNotIn("[warn]", said)

    def test_good_values_are_accepted(self):
        for inside in ("", "spool @prefix@/elsewhere/deep;", "catalog sqlite:@prefix@/c/x.db;",
                       "catalog sqlite:made/relative.db;", "min_free 0;", "min_free 2g;",
                       "min_free 500m;", "journal 1%;", "journal 90%;", "zone 64k;", "zone 32m;",
                       "public_url https://media.example.com;", "public_url http://h:8080/p/;",
                       "keep 0;", "keep 30d;", "keep 1h30m;", "link_secret 'two words';",
                       "link_secret abc valid=10m;", "worker off;", "worker 1;", "worker 64;",
                       "rendition 720p video=2800k audio=128k;", "rendition 480p video=1m;",
                       "rendition 720p video=3m; rendition 480p video=1m;", "ffmpeg /bin/true;",
                       "webhook https://host:8443/path?a=b 'secret=x y';",
                       "webhook http://a/ secret=1; webhook http://b/ secret=2;"):
            with self.subTest(inside):
                self.accepted(inside)

    def test_wrong_values_name_file_and_line(self):
        for inside, text in (
                ("min_free lots;", '"min_free" directive must be a size'),
                ("min_free -1;", '"min_free" directive must be a size'),
                ("journal 25;", '"journal" directive must be from 1% to 90%'),
                ("journal 0%;", '"journal" directive must be from 1% to 90%'),
                ("journal 91%;", '"journal" directive must be from 1% to 90%'),
                ("journal x%;", '"journal" directive must be from 1% to 90%'),
                ("zone 63k;", '"zone" directive must be at least 64k'),
                ("zone many;", '"zone" directive must be a size'),
                ("public_url media.example.com;", '"public_url" directive must be http://host'),
                ("public_url https://;", '"public_url" directive must be http://host'),
                ("public_url https://h/?a=b;", '"public_url" directive must be http://host'),
                ("keep ever;", '"keep" directive must be a time'),
                ("keep -1d;", '"keep" directive must be a time'),
                ("link_secret '';", '"link_secret" directive must not be empty'),
                ("link_secret a$b;", '"link_secret" directive must not be empty'),
                ("link_secret abc valid=0;", '"link_secret" directive takes a second parameter'),
                ("link_secret abc expires=1h;", '"link_secret" directive takes a second'),
                ("link_secret a; link_secret b;", '"link_secret" directive is duplicate'),
                ("link_secret;", 'invalid number of arguments in "link_secret" directive'),
                ("catalog postgresql://me@host/db;", "cannot be a PostgreSQL address"),
                ("catalog /var/catalog.db;", '"catalog" directive must be sqlite:'),
                ("catalog sqlite:;", '"catalog" directive must be a path'),
                ("spool '';", '"spool" directive must be a path'),
                ("runtime /dev/shm/" + "x" * 90 + ";", '"runtime" directive is too long'),
                ("storage s3://bucket/prefix;", '"storage" directive is duplicate'),
                ("zone 1m; zone 1m;", '"zone" directive is duplicate'),
                ("zone;", 'invalid number of arguments in "zone" directive'),
                ("worker 0;", '"worker" directive must be a number from 1 to 64, or off'),
                ("worker 65;", '"worker" directive must be a number from 1 to 64, or off'),
                ("worker on;", '"worker" directive must be a number from 1 to 64, or off'),
                ("worker 1; worker off;", '"worker" directive is duplicate'),
                ("rendition 720p;", 'invalid number of arguments in "rendition" directive'),
                ("rendition big video=1m;", '"rendition" directive must be named by its height'),
                ("rendition 720p bitrate=1m;", '"rendition" directive takes video=RATE and'),
                ("rendition 720p audio=96k;", '"rendition" directive needs video= from 10k'),
                ("rendition 720p video=1x;", '"rendition" directive needs a bit rate such as'),
                ("rendition 720p video=1m audio=1m;", '"rendition" directive needs audio= from'),
                ("rendition 720p video=1m; rendition 720p video=2m;",
                 '"rendition" directive is duplicate'),
                ("webhook ftp://h/ secret=x;", '"webhook" directive must be http://host/path or'),
                ("webhook http:// secret=x;", '"webhook" directive must be http://host/path or'),
                ("webhook http://h/ key=x;", '"webhook" directive needs secret=TEXT'),
                ("webhook http://h/ secret=;", '"webhook" directive needs secret=TEXT'),
                ("webhook http://h/;", 'invalid number of arguments in "webhook" directive'),
                ("webhook http://h/ secret=x; webhook http://h/ secret=y;",
                 '"webhook" directive is duplicate'),
                ("ffmpeg '';", '"ffmpeg" directive must be a program'),
                ("worker_processes 2;", '"worker_processes" directive is not allowed here')):
            with self.subTest(inside):
                self.refused(inside, text, "@prefix@/nginx.conf:3")

    def test_storage_that_is_no_folder_name(self):
        for inside, text in (("storage s3://bucket/x;", "cannot be an s3:// address"),
                             ("storage ftp://host/x;", "must be a folder"),
                             ("", '"recording" needs a "storage"')):
            with self.subTest(inside):
                self.refused(inside, text, "nginx.conf:", block="recording { %s }\n")

    def test_block_twice_and_directives_outside_of_it(self):
        self.refused("", '"recording" directive is duplicate', "nginx.conf:2",
                     block=BLOCK + "recording { %s }\n")
        self.refused("storage /x;", '"storage" directive is not allowed here', "nginx.conf:2",
                     block=BLOCK + "%s\n")

    def test_include_works_inside(self):
        server = self.make_nginx(conf="recording { include @prefix@/inner.conf; }\n")
        (server.prefix / "inner.conf").write_text(
            server.fill("storage @prefix@/data/videos;\nruntime @runtime@;\njournal 95%;\n"))
        accepted, said = server.test()
        self.assertFalse(accepted)
        self.assertIn(f"{server.prefix}/inner.conf:3", said)

    def test_runtime_must_be_on_tmpfs(self):
        self.refused("runtime @prefix@/runtime;", "tmpfs", "nginx.conf:3")


class Folders(IntegrationTest):
    def test_nginx_t_makes_nothing(self):
        server = self.make_nginx(conf=BLOCK)
        self.assertTrue(server.test()[0])
        self.assertFalse((server.prefix / "data").exists())
        self.assertFalse(server.runtime.exists())

    def test_start_makes_them_for_the_workers(self):
        server = self.start_nginx(
            recording="storage @prefix@/a/videos; spool @prefix@/a/b/spool; "
                      "catalog sqlite:@prefix@/c/catalog.db;")
        import pwd
        owner = pwd.getpwnam(server.user).pw_uid
        for name in ("a/videos", "a/b/spool", "c"):
            info = (server.prefix / name).stat()
            self.assertTrue(stat.S_ISDIR(info.st_mode))
            self.assertEqual(info.st_uid, owner, name)
        info = server.runtime.stat()
        self.assertEqual((info.st_uid, stat.S_IMODE(info.st_mode)), (owner, 0o700))

    def refused(self, server, *expected):
        """Both by nginx -t and by a start."""
        accepted, said = server.test()
        self.assertFalse(accepted, said)
        started = subprocess.run(server._command(), stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
                                 env=server.environment, check=False)
        self.assertNotEqual(started.returncode, 0)
        for text in expected:
            self.assertIn(server.fill(text), said)
            self.assertIn(server.fill(text), started.stdout)

    def test_storage_is_a_file(self):
        server = self.make_nginx(conf=BLOCK)
        (server.prefix / "data").mkdir()
        (server.prefix / "data").chmod(0o777)
        (server.prefix / "data/videos").write_text("x")
        self.refused(server, '"storage" "@prefix@/data/videos" is not a folder', "nginx.conf:1")

    def test_storage_of_somebody_else(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to make a folder of somebody else")
        server = self.make_nginx(conf=BLOCK)
        (server.prefix / "data/videos").mkdir(parents=True, mode=0o755)
        (server.prefix / "data").chmod(0o777)  # the folder of the catalogue
        self.refused(server, '"storage" "@prefix@/data/videos" cannot be written by the user', ":1")

    def test_read_only_storage(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to mount")
        server = self.make_nginx(conf=BLOCK)
        videos = server.prefix / "data/videos"
        videos.mkdir(parents=True)
        (server.prefix / "data").chmod(0o777)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,mode=777", "none", videos],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("cannot mount here")
        self.addCleanup(subprocess.run, ["umount", videos], check=True)
        self.refused(server, "is on a file system that is mounted read-only", "nginx.conf:1")

    def test_spool_and_storage_must_differ(self):
        server = self.make_nginx(
            conf="recording { storage @prefix@/data/videos;\nspool @prefix@/data/videos/; }\n")
        accepted, said = server.test()
        self.assertFalse(accepted)
        self.assertIn('"spool" must be another folder than "storage"', said)
        self.assertIn("nginx.conf:2", said)

    def test_failed_reload_leaves_the_old_configuration(self):
        server = self.start_nginx()
        worker = server.workers()
        server.allow("cannot be made|is not a folder")
        good = server.conf.read_text()
        server.conf.write_text(good.replace("storage ", f"spool {server.prefix}/file; storage "))
        (server.prefix / "file").write_text("x")
        server.send(1)
        wait_for(lambda: "is not a folder" in server.log_text(), what="the reload is refused")
        self.assertEqual(server.workers(), worker)

    def test_signals_work_with_the_folders_gone(self):
        server = self.start_nginx(recording="storage @prefix@/gone/videos; spool @prefix@/here/spool; "
                                            "catalog sqlite:@prefix@/catalog/x.db;")
        subprocess.run(["rm", "-rf", server.prefix / "gone"], check=True)
        (server.prefix / "gone").write_text("now a file")
        done = subprocess.run(server._command("-s", "quit"), capture_output=True, text=True,
                              env=server.environment, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(server.process.wait(20), 0)


class RtmpDirectives(IntegrationTest):
    def outcome(self, conf):
        server = self.make_nginx(conf=conf)
        accepted, said = server.test()
        return accepted, said

    def test_good_values_in_every_context(self):
        for inside in ("recording off;", "recording on;", "auto_record on;",
                       "recording_fragment 100ms;", "recording_fragment 60s;",
                       "recording_sync off;", "recording_sync fragment;", "recording_sync close;",
                       "recording_buffer 1m;", "recording_preroll off;", "recording_preroll gop;",
                       "recording_gap close;", "recording_gap keep;",
                       "recording_reconnect_window 0;", "recording_reconnect_window 1h;",
                       "recording_end_on_unpublish on;", "recording_min_duration 0;",
                       "recording_max_duration 0;", "recording_max_duration 10s;",
                       "recording_takeover off;", "recording_takeover_timeout 5s;",
                       "recording_drain_timeout off;", "recording_drain_timeout 30s;"):
            extra = "recording_min_duration 0;" if "max_duration 10s" in inside else ""
            for conf in (f"rtmp {{ {inside} {extra} server {{ listen 19350; application a "
                         "{ live on; } } }",
                         f"rtmp {{ server {{ listen 19350; {inside} {extra} application a "
                         "{ live on; } } }",
                         f"rtmp {{ server {{ listen 19350; application a {{ live on; {inside} "
                         f"{extra} }} }} }}"):
                with self.subTest(conf):
                    accepted, said = self.outcome(BLOCK + conf + "\n")
                    self.assertTrue(accepted, said)
                    self.assertNotIn("[warn]", said)

    def test_wrong_values_name_file_and_line(self):
        for inside, text in (
                ("recording yes;", 'invalid value "yes" in "recording" directive'),
                ("recording on; recording on;", '"recording" directive is duplicate'),
                ("auto_record 1;", 'in "auto_record" directive, it must be "on" or "off"'),
                ("recording_fragment 99ms;", "must be from 100ms to 60s"),
                ("recording_fragment 61s;", "must be from 100ms to 60s"),
                ("recording_fragment soon;", '"recording_fragment" directive invalid value'),
                ("recording_sync always;", 'invalid value "always"'),
                ("recording_buffer 1023k;", "must be at least 1m"),
                ("recording_preroll 3s;", 'invalid value "3s"'),
                ("recording_gap drop;", 'invalid value "drop"'),
                ("recording_reconnect_window 61m;", "must be from 0 to 1h"),
                ("recording_min_duration 25h;", "must be from 0 to 24h"),
                ("recording_max_duration 9s;", "must be 0 or at least 10s"),
                ("recording_takeover_timeout 0;", "must be from 100ms to 90s"),
                ("recording_drain_timeout never;", '"recording_drain_timeout" directive invalid'),
                ("recording_drain_timeout off; recording_drain_timeout 1s;", "is duplicate"),
                ("transcoder on;", '"transcoder on" needs a "transcoder_path"'),
                ("transcoder_path '';", "must be a path"),
                ("transcoder_path /a; transcoder_path /b;", "is duplicate"),
                ("transcoder on; transcoder_path @prefix@/data/videos;",
                 '"transcoder_path" must be another folder'),
                ("transcoder_segment 499ms;", "must be from 500ms to 30s"),
                ("transcoder_restarts -1;", '"transcoder_restarts" directive invalid number'),
                ("transcoder_command '';", "must be a program"),
                ("transcoder_rendition big video=1m;", "must be named by its height: 720p"),
                ("transcoder_rendition 720p audio=96k;", "needs video= from 10k to 500m"),
                ("transcoder_rendition 720p video=fast;", "needs a bit rate such as 2800k"),
                ("transcoder_rendition 720p video=2m audio=1m;", "needs audio= from 8k to 512k"),
                ("transcoder_rendition 720p video=2m speed=1;", "takes video=RATE and audio=RATE"),
                ("transcoder_rendition 720p video=2m; transcoder_rendition 720p video=1m;",
                 "is duplicate")):
            with self.subTest(inside):
                accepted, said = self.outcome(BLOCK + RTMP % ("\n" + inside + "\n"))
                self.assertFalse(accepted, inside)
                self.assertIn(text, said)
                self.assertIn("nginx.conf:3", said)

    def test_minimum_longer_than_maximum(self):
        accepted, said = self.outcome(BLOCK + RTMP % "recording on; recording_max_duration 10s; "
                                                     "recording_min_duration 11s;")
        self.assertFalse(accepted)
        self.assertIn('"recording_min_duration" is longer than "recording_max_duration"', said)

    def test_recording_needs_live(self):
        accepted, said = self.outcome(
            BLOCK + "rtmp { server { listen 19350;\napplication vod {\nrecording on; } } }\n")
        self.assertFalse(accepted)
        self.assertIn('"recording on" needs "live on" in application "vod"', said)
        self.assertIn("nginx.conf:4", said)

        accepted, said = self.outcome(
            BLOCK + "rtmp { server { listen 19350;\napplication vod {\ntranscoder on; "
                    "transcoder_path @prefix@/live; } } }\n")
        self.assertFalse(accepted)
        self.assertIn('"transcoder on" needs "live on" in application "vod"', said)
        self.assertIn("nginx.conf:4", said)

    def test_live_may_be_inherited_or_come_later(self):
        for conf in ("rtmp { live on; server { listen 19350; application a { recording on; } } }",
                     "rtmp { server { listen 19350; application a { recording on; live on; } } }",
                     "rtmp { server { listen 19350; application a { recording on; } live on; } }"):
            with self.subTest(conf):
                accepted, said = self.outcome(BLOCK + conf + "\n")
                self.assertTrue(accepted, said)

    def test_inherited_recording_of_an_application_without_live_is_a_warning(self):
        accepted, said = self.outcome(
            BLOCK + "rtmp { server { listen 19350;\nrecording on; application a { live on; }\n"
                    "application vod { play /tmp; } } }\n")
        self.assertTrue(accepted, said)
        self.assertIn('[warn]', said)
        self.assertIn('application "vod" has no "live on"', said)
        self.assertIn("nginx.conf:3", said)

    def test_recording_without_the_block(self):
        for conf, line in (("\n\n" + RTMP % "recording on;", 3),
                           ("\n" + RTMP % "transcoder on;", 2),
                           ("rtmp {\nrecording on; server { listen 19350; application a "
                            "{ live on; } } }\n", 2),
                           ("\n" + HTTP % ("", "location /streaming/ { recording_api; }"), 2)):
            with self.subTest(conf):
                accepted, said = self.outcome(conf)
                self.assertFalse(accepted)
                self.assertIn('needs a "recording { storage /path; }" block', said)
                self.assertIn(f"nginx.conf:{line}", said)

    def test_recording_off_needs_no_block(self):
        accepted, said = self.outcome(RTMP % "recording off;")
        self.assertTrue(accepted, said)


class HttpDirectives(IntegrationTest):
    def outcome(self, inside, http=COLD_READS):
        server = self.make_nginx(conf=BLOCK + HTTP % (http, "\n" + inside))
        return server.test()

    def test_prefix_locations_are_accepted_without_a_word(self):
        for inside in ("location /streaming/ { recording_api; }",
                       "location /videos/ { recording_files; }",
                       "location ^~ /videos { recording_files; }",
                       "location = /metrics { recording_metrics; }",
                       "location ~ metrics$ { recording_metrics; }",
                       "location / { location /videos/ { recording_files; } }"):
            with self.subTest(inside):
                accepted, said = self.outcome(inside)
                self.assertTrue(accepted, said)
                self.assertNotIn("[warn]", said)

    def test_other_locations_are_refused(self):
        for directive in ("recording_api", "recording_files"):
            for inside, text in (
                    (f"location ~ /x {{ {directive}; }}", "cannot stand in a regex location"),
                    (f"location ~* /x {{ {directive}; }}", "cannot stand in a regex location"),
                    (f"location @x {{ {directive}; }}", "cannot stand in a named location"),
                    (f"location = /x {{ {directive}; }}", "cannot stand in an exact location"),
                    (f"location /x {{ if ($arg_a) {{ {directive}; }} }}", "is not allowed here"),
                    (f"location /x {{ {directive}; {directive}; }}", "is duplicate"),
                    (f"location /x {{ stub_status; {directive}; }}", "already serves"),
                    (f"{directive};", "is not allowed here"),
                    (f"location /x {{ {directive} on; }}", "invalid number of arguments")):
                with self.subTest(inside):
                    accepted, said = self.outcome(inside)
                    self.assertFalse(accepted, inside)
                    self.assertIn(text, said)
                    self.assertIn("nginx.conf:3", said)

    def test_they_share_no_location(self):
        for inside in ("recording_api; recording_files;", "recording_files; recording_metrics;",
                       "recording_metrics; recording_api;"):
            with self.subTest(inside):
                accepted, said = self.outcome("location /x { %s }" % inside)
                self.assertFalse(accepted)
                self.assertIn("needs a location of its own", said)
        for inside, text in (("stub_status; recording_metrics;", "already serves"),
                             ("recording_metrics; recording_metrics;", "is duplicate")):
            accepted, said = self.outcome("location /x { %s }" % inside)
            self.assertFalse(accepted)
            self.assertIn(text, said)

    def test_files_with_reads_that_block_are_a_warning(self):
        inside = "location /videos/ { recording_files; }"
        for http in ("", "sendfile on;", "aio threads;"):
            with self.subTest(http):
                accepted, said = self.outcome(inside, http)
                self.assertTrue(accepted, said)
                self.assertIn('[warn]', said)
                self.assertIn('"recording_files" without "sendfile on; aio threads;"', said)
                self.assertIn("nginx.conf:3", said)


class Blocks(IntegrationTest):
    def test_any_order_and_any_block_missing(self):
        rtmp = RTMP % "recording on;"
        http = HTTP % (COLD_READS, "location /videos/ { recording_files; }")
        for conf in (BLOCK + rtmp + http, http + rtmp + BLOCK, rtmp + BLOCK + http,
                     http + BLOCK + rtmp, BLOCK + rtmp, BLOCK + http, rtmp + BLOCK, BLOCK,
                     "http { access_log off; server { listen 127.0.0.1:@http_port@; } }\n"):
            with self.subTest(conf):
                server = self.start_nginx(conf=conf)
                server.reload()
                server.check()

    def test_own_thread_pools_keep_their_size(self):
        for conf in ("thread_pool recording_io threads=3;\n" + BLOCK,
                     BLOCK + "thread_pool recording_io threads=3;\n"):
            with self.subTest(conf):
                server = self.start_nginx(conf=conf)
                worker = server.workers()[0]
                # 3, those of the other pools, and the event loop's own.
                wait_for(lambda w=worker: len(os.listdir(f"/proc/{w}/task")) == 3 + 14 + 1,
                         what="18 threads")
                server.check()

    def test_thread_pools_come_with_the_block(self):
        server = self.start_nginx(conf=BLOCK)
        worker = server.workers()[0]
        wait_for(lambda: len(os.listdir(f"/proc/{worker}/task")) == 23,
                 what="8 + 2 + 4 + 4 + 4 + 1 threads")

    def test_no_threads_without_the_block(self):
        server = self.start_nginx(conf="http { server { listen 127.0.0.1:@http_port@; } }\n")
        self.assertEqual(len(os.listdir(f"/proc/{server.workers()[0]}/task")), 1)


class Module(unittest.TestCase):
    def test_exports_nginx_symbols_only(self):
        out = subprocess.run(["nm", "-D", "--defined-only", module_path()], check=True,
                             capture_output=True, text=True).stdout
        names = {line.split()[-1] for line in out.splitlines()}
        self.assertEqual(names, {"ngx_modules", "ngx_module_names", "ngx_module_order"})

    def test_loads_only_after_nginx_rtmp(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
            conf.write(f"load_module {module_path().resolve()};\nevents {{ }}\n")
            conf.flush()
            done = subprocess.run(["nginx", "-t", "-c", conf.name, "-e", "stderr"],
                                  capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("undefined symbol: ngx_rtmp", done.stderr)


if __name__ == "__main__":
    unittest.main()
