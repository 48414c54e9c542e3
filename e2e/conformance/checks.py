"""What the Python scripts share: checks that report themselves, the person on the other side, and the company's ids.

Standard output is the line to the test that started the script: one JSON object per check, {"name", "ok", "details"}, or a request
to the person, {"ask", "values"}, that one line on standard input answers.
"""

import json
import os
import sys
import threading
import time
import traceback
from unittest import TestCase

PATIENCE_S = 20

_line = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)  # whatever a library prints is no check
_checks = []

_expect = TestCase()
_expect.maxDiff = None
equal = _expect.assertEqual
includes = _expect.assertIn
true = _expect.assertTrue
refuses = _expect.assertRaises


def _say(value):
    print(json.dumps(value, ensure_ascii=False), file=_line, flush=True)


class _Person:
    """The person with `kabar chat`: real, and in another process."""

    def __init__(self, digits):
        self.digits = digits

    def _ask(self, what, *values):
        _say({"ask": what, "values": values})
        answer = json.loads(sys.stdin.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["answer"]

    def sees(self, text):
        """The message with this text, as `kabar chat receive` prints it."""
        return self._ask("sees", text)

    def sees_read(self, message_id):
        return self._ask("seesRead", message_id)

    def says(self, to, text):
        return self._ask("says", to, text)

    def taps(self, message, button):
        return self._ask("taps", message, button)

    def picks(self, message, row):
        return self._ask("picks", message, row)

    def fills(self, message, answers):
        return self._ask("fills", message, answers)

    def sends_file(self, to, path, text):
        return self._ask("sendsFile", to, path, text)

    def reads(self, message):
        return self._ask("reads", message)


class Company:
    def __init__(self, ids):
        self.name = ids["name"]
        self.phone = ids["phone"]
        self.url = ids["url"]
        self.token = ids["token"]
        self.phone_id = ids["phoneId"]
        self.waba_id = ids["wabaId"]
        self.app_id = ids["appId"]
        self.app_secret = ids["appSecret"]


_world = json.loads(sys.stdin.readline())
company = Company(_world["company"])
person = _Person(_world["person"])
closed = _world["closed"]
"""Digits of a person who never wrote to the company."""
directory = _world["directory"]
"""For files; gone after the test."""
site = _world["site"]
"""The company's website: poster.png, tiket.pdf, film.mp4 and lagu.mp3."""


def check(name):
    """Makes the function a check; `run` calls them in the order they are written in."""

    def add(function):
        _checks.append((name, function))
        return function

    return add


def run():
    """Exits 0 whatever the checks say: they are reported one by one."""
    for name, function in _checks:
        try:
            function()
        except Exception as error:  # whatever an SDK throws is the check's outcome
            lines = traceback.format_exception(error, limit=-3)
            _say({"name": name, "ok": False, "details": "".join(lines)})
        else:
            _say({"name": name, "ok": True, "details": ""})
    _line.flush()
    os._exit(0)  # the receiver's threads have nothing left to do


class Mailbox:
    """What has come so far, and a wait for what is still to come."""

    def __init__(self):
        self.items = []
        self._news = threading.Condition()

    def put(self, item):
        with self._news:
            self.items.append(item)
            self._news.notify_all()

    def first(self, fits, what):
        until = time.monotonic() + PATIENCE_S
        with self._news:
            while True:
                found = next((item for item in self.items if fits(item)), None)
                if found is not None:
                    return found
                if not self._news.wait(until - time.monotonic()):
                    last = "\n  ".join(map(repr, self.items[-5:])) or "nothing"
                    raise AssertionError(f"{what} did not come within {PATIENCE_S} s; last came\n  {last}")
