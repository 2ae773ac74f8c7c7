"""`gantry exec` in a container: a terminal with its size and its end, and commands without one."""

import fcntl
import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time
import unittest

BINARY = os.environ["GANTRY_BIN"]
ENGINE = os.environ["GANTRY_TEST_ENGINE"]
PATIENCE = 120  # seconds; only so that a test that fails ends


class EngineConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(ENGINE.removeprefix("unix://"))


def engine(method, path, body=None):
    connection = EngineConnection("localhost")
    text = None if body is None else json.dumps(body)
    connection.request(method, f"/v1.41{path}", text, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status < 400, (method, path, answer.status, content)
    return json.loads(content) if content else None


class Server:
    def __init__(self, folder=None):
        self.folder = folder or tempfile.TemporaryDirectory(prefix="gantry-terminals-")
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.folder.name, "TERM": "xterm-256color",
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
        }
        self.log = open(os.path.join(self.folder.name, "log"), "w+b")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", self.folder.name,
             "--engine", ENGINE],
            stdout=subprocess.PIPE, stderr=self.log, env=self.environment)
        said = ""
        while " is ready on " not in said:
            line = self.process.stdout.readline().decode()
            assert line, "the server did not start"
            said += line
        self.url = re.search(r" is ready on (http://127\.0\.0\.1:\d+)", said)[1]

    def words(self, *words):
        return [BINARY, "exec", "--server", self.url, "--data-dir", self.folder.name, *words]

    def kill(self):
        """As a machine does that goes down; its folder stays for the next one."""
        self.process.kill()
        self.process.stdout.close()
        self.process.wait(PATIENCE)
        self.log.close()
        return self.folder

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        code = self.process.wait(PATIENCE)
        self.log.close()
        self.folder.cleanup()
        return code


class Screen:
    """A program on a pseudo-terminal."""

    def __init__(self, words, environment, columns=90, rows=30):
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""

        def adopt():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(words, stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, env=environment, preexec_fn=adopt)

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.shown += os.read(self.master, 65536)
            return True
        return False

    def until(self, text):
        while text.encode() not in self.shown:
            assert self.read(PATIENCE), f"'{text}' did not come: {self.shown!r}"

    def end(self):
        """The exit code, and whether the terminal is as it was."""
        while self.process.poll() is None:
            self.read(0.1)
        while self.read(0.1):
            pass
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        return self.process.returncode, after == self.before


class ExecTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.end_server)
        cls.name = f"gantry-terminals-{os.getpid()}"
        created = engine("POST", f"/containers/create?name={cls.name}", {
            "Image": "gantry/sh:latest", "Entrypoint": ["sleep", "600"],
            "HostConfig": {"NetworkMode": "none"}})
        cls.container = created["Id"]
        cls.addClassCleanup(engine, "DELETE", f"/containers/{cls.container}?force=1")
        engine("POST", f"/containers/{cls.container}/start")
        # What the server knows of its host follows the engine's events.
        deadline = time.monotonic() + PATIENCE
        words = cls.server.words("--container", cls.name, "true")
        while subprocess.run(words, env=cls.server.environment, capture_output=True).returncode:
            assert time.monotonic() < deadline, "the server does not see the container"
            time.sleep(0.1)

    @classmethod
    def end_server(cls):
        code = cls.server.stop()
        assert code == 0, f"the server ended with {code}"

    def screen(self, *words, **size):
        return Screen(self.server.words(*words), self.server.environment, **size)

    def run_command(self, *words, **options):
        return subprocess.run(self.server.words(*words), env=self.server.environment,
                              capture_output=True, timeout=PATIENCE, **options)

    def processes(self):
        return json.dumps(engine("GET", f"/containers/{self.container}/top")["Processes"])

    def test_a_shell_answers_and_its_exit_code_is_ours(self):
        screen = self.screen("-it", self.name)
        screen.until("#")
        screen.type("echo $((6 * 7)) $TERM\r")
        screen.until("42 xterm-256color")
        screen.type("exit 7\r")
        self.assertEqual(screen.end(), (7, True))

    def test_the_size_follows_the_screen(self):
        screen = self.screen("-it", self.name, columns=101, rows=33)
        screen.until("#")
        screen.type("stty size\r")
        screen.until("33 101")
        screen.resize(77, 22)
        screen.type("while [ \"$(stty size)\" != '22 77' ]; do sleep 0.05; done; echo chang''ed\r")
        screen.until("changed")
        screen.type("exit\r")
        self.assertEqual(screen.end(), (0, True))

    def test_keys_are_for_the_shell(self):
        screen = self.screen("-it", self.name)
        screen.until("#")
        # Once it says so it is the one whom Ctrl-C is for.
        screen.type("sh -c 'echo rea\"\"dy; exec sleep 8001'\r")
        screen.until("ready")
        screen.type("\x03")
        screen.type("echo ali''ve\r")
        screen.until("alive")
        screen.type("\x04")
        code, restored = screen.end()
        self.assertTrue(restored)
        self.assertNotEqual(code, 125)

    def test_a_program_of_the_container_runs_with_its_arguments(self):
        screen = self.screen("-it", "-u", "65534", "-w", "/tmp", "-e", "COLOUR=blue", self.name,
                             "sh", "-c", "echo \"<$(id -u) $PWD $COLOUR>\"; exit 3")
        screen.until("<65534 /tmp blue>")
        self.assertEqual(screen.end(), (3, True))

    def test_told_to_end_it_ends_the_shell_and_restores_the_screen(self):
        screen = self.screen("-it", self.name)
        screen.until("#")
        screen.type("sleep 8002 & sh -c 'echo rea\"\"dy; exec sleep 8003'\r")
        screen.until("ready")
        screen.process.send_signal(signal.SIGTERM)
        _, restored = screen.end()
        self.assertTrue(restored)
        # The server ends them; the client does not wait for that.
        deadline = time.monotonic() + PATIENCE
        while "sleep 800" in self.processes():
            self.assertLess(time.monotonic(), deadline, self.processes())
            time.sleep(0.1)

    def test_without_a_terminal_none_is_opened(self):
        ran = self.run_command("-it", self.name, stdin=subprocess.DEVNULL)
        self.assertEqual(ran.returncode, 125)
        self.assertIn(b"standard input and output are none", ran.stderr)

    def test_a_command_has_its_outputs_input_and_exit_code(self):
        ran = self.run_command("--container", "-i", self.name, "sh", "-c",
                               "cat; echo err >&2; exit 5", input=b"in\xff\n")
        self.assertEqual(ran.returncode, 5, ran.stderr)
        self.assertEqual(ran.stdout, b"in\xff\n")
        self.assertEqual(ran.stderr, b"err\n")

    def test_a_command_out_of_time_is_ended(self):
        ran = self.run_command("--container", "--timeout", "1s", self.name, "sleep", "8004")
        self.assertEqual(ran.returncode, 124)
        self.assertNotIn("sleep 8004", self.processes())

    def test_what_is_not_there_is_told(self):
        ran = self.run_command("--container", "no-such-container", "ls")
        self.assertEqual(ran.returncode, 125)
        self.assertIn(b"no-such-container", ran.stderr)
        ran = self.run_command("--container", self.name, "/no/such/program")
        self.assertEqual(ran.returncode, 125)
        self.assertIn(b"cannot run the command", ran.stderr)

    def test_words_alone_still_run_in_a_sandbox(self):
        ran = self.run_command("sh", "-c", "echo $((6 * 7))")
        self.assertEqual((ran.returncode, ran.stdout), (0, b"42\n"))


class KilledServerTest(unittest.TestCase):
    def processes(self):
        return json.dumps(engine("GET", f"/containers/{self.container}/top")["Processes"])

    def until(self, what, reached):
        deadline = time.monotonic() + PATIENCE
        while not reached():
            self.assertLess(time.monotonic(), deadline, f"{what}: {self.processes()}")
            time.sleep(0.1)

    def test_what_a_killed_server_has_left_is_ended_by_the_next(self):
        name = f"gantry-killed-{os.getpid()}"
        self.container = engine("POST", f"/containers/create?name={name}", {
            "Image": "gantry/sh:latest", "Entrypoint": ["sleep", "600"],
            "HostConfig": {"NetworkMode": "none"}})["Id"]
        self.addCleanup(engine, "DELETE", f"/containers/{self.container}?force=1")
        engine("POST", f"/containers/{self.container}/start")
        server = Server()
        self.until("the server sees it", lambda: subprocess.run(
            server.words("--container", name, "true"), env=server.environment,
            capture_output=True, timeout=PATIENCE).returncode == 0)
        screen = Screen(server.words("-it", name), server.environment)
        screen.until("#")
        screen.type("(trap '' HUP; exec sleep 8100) & exec sleep 8101\r")
        self.until("it runs", lambda: "sleep 8101" in self.processes())
        folder = server.kill()
        screen.end()
        self.assertIn("sleep 8100", self.processes())
        self.assertIn("sleep 8101", self.processes())
        server = Server(folder)
        self.until("it has ended", lambda: "sleep 81" not in self.processes())
        self.until("it is told", lambda: b"terminal.end_left" in subprocess.run(
            [BINARY, "audit", "list", "--json", "--server", server.url,
             "--data-dir", folder.name],
            env=server.environment, capture_output=True, timeout=PATIENCE).stdout)
        self.assertIn("sleep 600", self.processes())
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
