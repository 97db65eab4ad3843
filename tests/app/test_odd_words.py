"""Commands that are told odd things, or have nowhere to write, end with a sentence and never with a trace."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.commands import COMMAND, environment
from tests.inprocess import run_here

NO_TEXT = os.fsdecode(b"\xff")
CREATE = ("keys", "create", "--name", "x", "--scope", "customers:read")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*CREATE, "--expires", "999999w"), "--expires lies beyond the year 9999."),
        ((*CREATE, "--expires", "9999-12-31T23:59:59-12:00"), "--expires lies beyond the year 9999."),
        (("keys", "create", "--name", NO_TEXT, "--scope", "customers:read"), "--name is not UTF-8."),
        (("keys", "revoke", NO_TEXT), "ID is not UTF-8."),
        (("export", "--filter", f"firstName eq '{NO_TEXT}'"), "--filter is not UTF-8."),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(words: tuple[str, ...], told: str) -> None:
    ended = run_here(*words, env={"GATEWAY_MONGODB_URL": "mongodb://127.0.0.1:1"})
    assert (ended.code, ended.out, ended.err) == (2, "", f"gateway: {told}\n")


def test_settings_that_are_not_utf_8_are_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"GATEWAY_HOST=\xff\n")
    ended = run_here("keys", "list")
    assert (ended.code, ended.err) == (2, "gateway: the file .env cannot be read: it is not UTF-8.\n")


@pytest.mark.parametrize(
    ("words", "shell", "code", "told"),
    [
        ("version", ">&-", 1, "gateway: standard output is closed.\n"),
        ("version", ">/dev/full", 1, "gateway: standard output cannot be written: no space left on device.\n"),
        ("export", ">&-", 2, "gateway: standard output is closed.\n"),
        ("import -", "<&-", 2, "gateway: standard input is closed.\n"),
    ],
)
def test_a_command_that_has_nowhere_to_write_or_to_read_says_so(
    tmp_path: Path, mongod_url: str, database: str, words: str, shell: str, code: int, told: str
) -> None:
    env = environment(tmp_path, mongodb_url=mongod_url, mongodb_database=database)
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {words} {shell}', "sh", *COMMAND],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, told)


def test_json_is_utf_8_whatever_the_terminal_speaks(tmp_path: Path) -> None:
    env = {**environment(tmp_path), "PYTHONIOENCODING": "ascii"}
    words = [*COMMAND, "openapi", "--json"]
    done = subprocess.run(words, env=env, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stdout.isascii()
    assert json.loads(done.stdout.decode("utf-8", "strict"))["openapi"]
