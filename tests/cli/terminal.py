#!/usr/bin/env python3
"""ca-tool on a terminal: prompts, echo, signals, colour, confirmation.

Each test runs the program (CA_TOOL) as the leader of a session whose
controlling terminal is a pseudo-terminal.
"""
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import termios
import time
import unittest

CA_TOOL = os.environ["CA_TOOL"]
PIN, SO_PIN = "user-pin-123456", "so-pin-654321"
PHRASE = "passphrase-of-op"
MAKE_OPERATORS = os.path.join(os.path.dirname(os.path.realpath(__file__)),
                              "..", "make-operators")
PASSPHRASE = "op: [Pp]assphrase of '[^']*op.key'[^\n]*: "
TIMEOUT = 30
PLAN = """format: ca-tool-plan-1
id: first
title: A root
window:
  from: {begin}
  until: {end}
steps:
  - generate-key:
      key: root-g1
      type: p-256
      purpose: ca
      backup: none
  - root:
      name: root-g1
      key: root-g1
      profile: root
      subject:
        country: DE
        organization: Example Trust
        common-name: Example Root G1
"""


def date(offset):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() +
                                                           offset))


class Terminal:
    """A child on a terminal of its own; `seen` is all that it showed."""

    def __init__(self, *args, env=None):
        environment = dict(os.environ, TERM="xterm")
        environment.pop("NO_COLOR", None)
        environment.update(env or {})
        # The child's side stays open here, so that its settings can be read
        # after the child's end.
        self.fd, self.slave = os.openpty()
        self.seen = ""
        self.mark = 0
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(self.slave)
            os.execve(CA_TOOL, ["ca-tool", *args], environment)

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def expect(self, pattern):
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            found = re.compile(pattern).search(self.seen, self.mark)
            if found:
                self.mark = found.end()
                return found
            self.read(0.1)
        raise AssertionError(f"no {pattern!r} in {self.seen!r}")

    def echo(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def wait_hidden(self):
        """The prompt stands before the echo goes off, or just after."""
        end = time.monotonic() + TIMEOUT
        while self.echo():
            if time.monotonic() > end:
                raise AssertionError("the echo stays on at a secret prompt")
            time.sleep(0.01)

    def send(self, text):
        os.write(self.fd, text.encode())

    def answer(self, prompt, text):
        self.expect(prompt)
        self.wait_hidden()
        self.send(text + "\n")

    def finish(self):
        """The exit status."""
        end = time.monotonic() + TIMEOUT
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            self.read(0.05)
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError(f"it does not end: {self.seen!r}")
        while self.read(0):
            pass
        settings = self.echo()
        os.close(self.slave)
        os.close(self.fd)
        if not settings:
            raise AssertionError("the echo stayed off")
        return os.waitstatus_to_exitcode(status)


class Case(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="terminal-", dir=os.getcwd())
        self.authority = os.path.join(self.base, "authority")
        self.plan = os.path.join(self.base, "plan.yaml")
        with open(self.plan, "w", encoding="utf-8") as file:
            file.write(PLAN.format(begin=date(-86400), end=date(86400)))
        self.operators = os.path.join(self.base, "operators")
        subprocess.run([MAKE_OPERATORS, self.operators, "1", PHRASE, "op"],
                       check=True)
        self.op = f"op=file:{self.operators}/op.key"
        self.founding = ["init", self.authority, "--id", "example.org/test",
                         "--operators", f"{self.operators}/sign-only.yaml",
                         "--login", "prompt", "--operator", self.op]

    def tearDown(self):
        shutil.rmtree(self.base)

    def make(self):
        """The authority, with both PINs and op's passphrase from pipes."""
        read, write = os.pipe()
        os.write(write, f"{SO_PIN}\n{PIN}\n".encode())
        os.close(write)
        phrases, write = os.pipe()
        os.write(write, f"{PHRASE}\n".encode() * 4)
        os.close(write)
        subprocess.run([CA_TOOL, *self.founding, "--pin-fd", str(read),
                        "--so-pin-fd", str(read), "--passphrase-fd",
                        f"op={phrases}",
                        "--crl-url", "http://crl.example.org/{issuer}.crl"],
                       pass_fds=[read, phrases], check=True,
                       capture_output=True)
        os.close(read)
        os.close(phrases)

    def key_list(self, **kwargs):
        return Terminal("key", "list", "-d", self.authority, **kwargs)

    def run_to_the_list(self, *args, env=None):
        """plan run, up to the question whether the list is right."""
        terminal = Terminal("plan", "run", "-d", self.authority, self.plan,
                            "--operator", self.op, *args, env=env)
        terminal.expect("second clock say[^\n]*[?] ")
        terminal.send("\n")
        terminal.expect("approve this plan")
        terminal.expect("Type yes[^\n]*: ")
        terminal.send("yes\n")
        terminal.answer(PASSPHRASE, PHRASE)
        terminal.answer("PIN[^\n]*: ", PIN)
        terminal.expect("list right")
        terminal.expect("Type yes[^\n]*: ")
        return terminal

    def journal(self):
        return subprocess.run([CA_TOOL, "journal", "show", "-d",
                               self.authority], check=True, text=True,
                              capture_output=True).stdout


class Prompts(Case):
    def test_init_asks_twice_and_shows_nothing(self):
        terminal = Terminal(*self.founding)
        terminal.answer("SO\\)? PIN[^\n]*: ", SO_PIN)
        terminal.answer("SO\\)? PIN[^\n]*again: ", SO_PIN)
        terminal.answer("[Uu]ser PIN[^\n]*: ", PIN)
        terminal.answer("[Uu]ser PIN[^\n]*again: ", PIN)
        terminal.answer(PASSPHRASE, PHRASE)
        terminal.answer(PASSPHRASE, PHRASE)
        self.assertEqual(terminal.finish(), 0, terminal.seen)
        self.assertNotIn(PHRASE, terminal.seen)
        self.assertNotIn(PIN, terminal.seen)
        self.assertNotIn(SO_PIN, terminal.seen)
        terminal = self.key_list()
        terminal.answer("PIN[^\n]*: ", PIN)
        self.assertEqual(terminal.finish(), 0, terminal.seen)

    def test_init_asks_again_when_the_two_differ(self):
        terminal = Terminal(*self.founding)
        terminal.answer("SO\\)? PIN[^\n]*: ", SO_PIN)
        terminal.answer("again: ", SO_PIN + "x")
        terminal.expect("The two differ")
        terminal.answer("SO\\)? PIN[^\n]*: ", SO_PIN)
        terminal.answer("again: ", SO_PIN)
        terminal.answer("[Uu]ser PIN[^\n]*: ", PIN)
        terminal.answer("again: ", PIN)
        terminal.answer(PASSPHRASE, PHRASE)
        terminal.answer(PASSPHRASE, PHRASE)
        self.assertEqual(terminal.finish(), 0, terminal.seen)

    def test_init_gives_up_after_three(self):
        terminal = Terminal(*self.founding)
        for i in range(3):
            terminal.answer("SO\\)? PIN[^\n]*: ", f"first-{i}")
            terminal.answer("again: ", f"second-{i}")
        self.assertEqual(terminal.finish(), 4, terminal.seen)
        self.assertIn("typed differently", terminal.seen)

    def test_wrong_pin_is_asked_once(self):
        self.make()
        terminal = self.key_list()
        terminal.answer("PIN[^\n]*: ", "wrong-pin")
        self.assertEqual(terminal.finish(), 4, terminal.seen)
        self.assertEqual(len(re.findall("User PIN of token", terminal.seen)), 1)

    def test_empty_pin(self):
        self.make()
        terminal = self.key_list()
        terminal.answer("PIN[^\n]*: ", "")
        self.assertEqual(terminal.finish(), 4, terminal.seen)

    def test_overlong_pin(self):
        self.make()
        terminal = self.key_list()
        terminal.answer("PIN[^\n]*: ", "x" * 300)
        self.assertEqual(terminal.finish(), 4, terminal.seen)
        self.assertNotIn("xxx", terminal.seen)

    def test_ctrl_d(self):
        self.make()
        terminal = self.key_list()
        terminal.expect("PIN[^\n]*: ")
        terminal.wait_hidden()
        terminal.send("\x04")
        self.assertEqual(terminal.finish(), 4, terminal.seen)

    def test_what_was_typed_before_the_prompt_is_dropped(self):
        self.make()
        terminal = self.key_list()
        terminal.send("typed-ahead\n")
        terminal.answer("PIN[^\n]*: ", PIN)
        self.assertEqual(terminal.finish(), 0, terminal.seen)


class Signals(Case):
    def stop_at_prompt(self, stop):
        self.make()
        terminal = self.key_list()
        terminal.expect("PIN[^\n]*: ")
        terminal.wait_hidden()
        stop(terminal)
        self.assertEqual(terminal.finish(), 1, terminal.seen)
        self.assertIn("interrupted", terminal.seen)

    def test_ctrl_c(self):
        self.stop_at_prompt(lambda terminal: terminal.send("\x03"))

    def test_term(self):
        self.stop_at_prompt(
            lambda terminal: os.kill(terminal.pid, signal.SIGTERM))

    def test_hup(self):
        self.stop_at_prompt(
            lambda terminal: os.kill(terminal.pid, signal.SIGHUP))

    def test_ctrl_c_at_the_question(self):
        self.make()
        terminal = self.run_to_the_list()
        terminal.send("\x03")
        self.assertEqual(terminal.finish(), 1, terminal.seen)
        self.assertNotIn("  intent ", self.journal())


class Confirm(Case):
    def run_plan(self, answer, *args, env=None):
        self.make()
        terminal = self.run_to_the_list(*args, env=env)
        terminal.send(answer + "\n")
        if answer == "yes":
            terminal.answer(PASSPHRASE, PHRASE)
        return terminal.finish(), terminal.seen

    def signed(self):
        return os.path.exists(os.path.join(
            self.authority, "public", "certs", "root-g1.pem"))

    def test_yes(self):
        status, seen = self.run_plan("yes")
        self.assertEqual(status, 0, seen)
        self.assertTrue(self.signed())
        # The list of objects stood before the question, with its hashes.
        before = seen[:seen.rindex("Type yes")]
        self.assertIn("root-g1", before)
        self.assertRegex(before, "[0-9a-f]{64}")
        self.assertIn("\x1b[1m", seen)

    def test_anything_else(self):
        for answer in ("no", "y", "YES", "yes please", ""):
            with self.subTest(answer=answer):
                status, seen = self.run_plan(answer)
                self.assertEqual(status, 3, seen)
                self.assertFalse(self.signed())
                self.assertNotIn("  intent ", self.journal())
                shutil.rmtree(self.authority)

    def test_a_note_is_journalled_and_the_question_asked_again(self):
        self.make()
        terminal = self.run_to_the_list()
        self.assertIn("note to write a note", terminal.seen)
        terminal.send("note\n")
        terminal.expect("Note for the journal: ")
        terminal.send("the lamp fl\u00e4ckers\n")
        terminal.expect("Noted")
        terminal.expect("list right")
        terminal.expect("Type yes[^\n]*: ")
        terminal.send("note\n")
        terminal.expect("Note for the journal: ")
        terminal.send("\n")  # an empty one is none
        terminal.expect("list right")
        terminal.expect("Type yes[^\n]*: ")
        terminal.send("yes\n")
        terminal.answer(PASSPHRASE, PHRASE)
        self.assertEqual(terminal.finish(), 0, terminal.seen)
        notes = [line for line in self.journal().splitlines()
                 if "  event " in line]
        self.assertEqual(len(notes), 1, notes)
        self.assertIn("note: the lamp fl\u00e4ckers", notes[0])

    def test_no_notes_where_no_run_is_open(self):
        self.make()
        terminal = Terminal("plan", "approve", "-d", self.authority,
                            self.plan, "--operator", self.op)
        terminal.expect("Type yes[^\n]*: ")
        self.assertNotIn("note to write", terminal.seen)
        terminal.send("note\n")
        self.assertEqual(terminal.finish(), 3, terminal.seen)
        self.assertNotIn("  event ", self.journal())

    def test_no_color(self):
        status, seen = self.run_plan("yes", "--no-color")
        self.assertEqual(status, 0, seen)
        self.assertNotIn("\x1b[1m", seen)

    def test_no_color_by_environment(self):
        status, seen = self.run_plan("yes", env={"NO_COLOR": "1"})
        self.assertEqual(status, 0, seen)
        self.assertNotIn("\x1b[1m", seen)


class Event(Case):
    def enter(self, *args):
        self.make()
        file = os.path.join(self.base, "event.yaml")
        with open(file, "w", encoding="utf-8") as out:
            out.write("format: ca-tool-event-1\nevent: security\n"
                      f"when: {date(-3600)}\nwhat: a wrong PIN\n")
        return Terminal("journal", "event", "-d", self.authority, file, *args)

    def test_who_enters_it_is_asked_and_sees_it_first(self):
        terminal = self.enter()
        terminal.expect("Who enters this event")
        terminal.send(self.op + "\n")
        terminal.expect("security: a wrong PIN")
        terminal.expect("read aloud")
        terminal.expect("Is this what happened")
        terminal.expect("Type yes[^\n]*: ")
        terminal.send("yes\n")
        terminal.answer(PASSPHRASE, PHRASE)
        self.assertEqual(terminal.finish(), 0, terminal.seen)
        self.assertIn("security: a wrong PIN", self.journal())

    def test_whoever_says_no_enters_nothing(self):
        terminal = self.enter("--operator", self.op)
        terminal.expect("Type yes[^\n]*: ")
        terminal.send("no\n")
        self.assertEqual(terminal.finish(), 3, terminal.seen)
        self.assertNotIn("  event ", self.journal())


class Operators(Case):
    def test_a_wrong_passphrase_is_said_and_asked_for_again_unseen(self):
        self.make()
        terminal = Terminal("plan", "approve", "-d", self.authority,
                            self.plan, "--yes", "--operator", self.op)
        terminal.answer(PASSPHRASE, "wrong-passphrase")
        terminal.expect("wrong[^?]*type it again, or nothing to\\s+stop")
        # Whoever types it at once is not seen either.
        terminal.answer(PASSPHRASE, PHRASE)
        self.assertEqual(terminal.finish(), 0, terminal.seen)
        self.assertNotIn(PHRASE, terminal.seen)
        self.assertNotIn("wrong-passphrase", terminal.seen)

    def test_no_further_try(self):
        self.make()
        terminal = Terminal("plan", "approve", "-d", self.authority,
                            self.plan, "--yes", "--operator", self.op)
        terminal.answer(PASSPHRASE, "wrong-passphrase")
        terminal.expect("type it again, or nothing to\\s+stop")
        terminal.answer(PASSPHRASE, "")
        self.assertEqual(terminal.finish(), 4, terminal.seen)
        self.assertIn("is empty", terminal.seen)
        self.assertEqual(len(re.findall(PASSPHRASE, terminal.seen)), 2)

    def test_who_takes_part_is_asked(self):
        self.make()
        terminal = Terminal("plan", "approve", "-d", self.authority,
                            self.plan, "--yes")
        terminal.expect("NAME=KEY[^\n]*: ")
        terminal.send("nonsense\n")
        terminal.expect("NAME=KEY[^\n]*: ")
        terminal.send("mallory=file:m.key\n")
        terminal.expect("mallory[^=]*NAME=KEY[^\n]*: ")
        terminal.send(self.op + "\n")
        terminal.answer(PASSPHRASE, PHRASE)
        self.assertEqual(terminal.finish(), 0, terminal.seen)

    def test_nobody_takes_part(self):
        self.make()
        terminal = Terminal("plan", "approve", "-d", self.authority,
                            self.plan, "--yes")
        terminal.expect("NAME=KEY[^\n]*: ")
        terminal.send("\n")
        self.assertEqual(terminal.finish(), 3, terminal.seen)

    def test_an_object_can_be_looked_at_before_the_yes(self):
        self.make()
        terminal = self.run_to_the_list()
        terminal.send("1\n")
        terminal.expect("Certificate Sign")  # openssl's words for keyUsage
        terminal.expect("Type yes[^\n]*: ")
        terminal.send("yes\n")
        terminal.answer(PASSPHRASE, PHRASE)
        self.assertEqual(terminal.finish(), 0, terminal.seen)

    def test_operator_new(self):
        folder = os.getcwd()
        os.chdir(self.base)
        try:
            for phrase, status in (("short", 3), (PHRASE, 0)):
                terminal = Terminal("operator", "new", "zoe")
                terminal.answer("assphrase[^\n]*: ", phrase)
                terminal.answer("again: ", phrase)
                self.assertEqual(terminal.finish(), status, terminal.seen)
                self.assertNotIn(PHRASE, terminal.seen)
        finally:
            os.chdir(folder)
        made = set(os.listdir(self.base))
        self.assertLessEqual({"zoe.key", "zoe.sign.crt", "zoe.decrypt.crt"},
                             made)
        self.assertEqual(os.stat(os.path.join(self.base, "zoe.key")).st_mode
                         & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
