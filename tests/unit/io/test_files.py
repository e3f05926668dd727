"""Bytes in and out: gzip, limits, clear refusals, and writing that is all or nothing."""

from __future__ import annotations

import gzip
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sbmlgrad.errors import UnreadableFileError, WriteError
from sbmlgrad.io import files
from sbmlgrad.io.files import read_bytes, write_atomically

DATA = bytes(range(256)) * 40


@pytest.mark.parametrize("name", ["model.xml", "model.xml.gz", "MODEL.XML.GZ", "empty"])
@pytest.mark.parametrize("data", [DATA, b""], ids=["full", "empty"])
def test_round_trip(tmp_path: Path, name: str, data: bytes) -> None:
    write_atomically(tmp_path / name, data)
    assert read_bytes(tmp_path / name) == data
    assert read_bytes(str(tmp_path / name)) == data
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_gz_is_compressed_and_reproducible(tmp_path: Path) -> None:
    first, second = tmp_path / "a.xml.gz", tmp_path / "b.xml.gz"
    write_atomically(first, DATA)
    write_atomically(second, DATA)
    packed = first.read_bytes()
    assert packed == second.read_bytes()
    assert packed[4:8] == bytes(4), "the time in the header"
    assert gzip.decompress(packed) == DATA
    assert len(packed) < len(DATA) / 10


@pytest.mark.parametrize("name", ["data.bin", "data.bin.gz"])
def test_limit_counts_decompressed_bytes(tmp_path: Path, name: str) -> None:
    write_atomically(tmp_path / name, DATA)
    assert read_bytes(tmp_path / name, limit=len(DATA)) == DATA
    with pytest.raises(UnreadableFileError, match=rf"{name}.*more than {len(DATA) - 1} bytes"):
        read_bytes(tmp_path / name, limit=len(DATA) - 1)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"none\.xml.*no such file"):
        read_bytes(tmp_path / "none.xml")


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="it is a folder"):
        read_bytes(tmp_path)
    with pytest.raises(WriteError, match="folder or a device"):
        write_atomically(tmp_path, DATA)


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="check the name"):
        read_bytes("a\0b")
    with pytest.raises(UnreadableFileError, match="check the name"):
        read_bytes("x" * 10_000)
    with pytest.raises(WriteError, match="check the name"):
        write_atomically("a\0b", DATA)
    with pytest.raises(WriteError, match="check the name"):
        write_atomically(tmp_path / ("x" * 10_000), DATA)


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Permission bits do not bind an administrator, as whom tests may run; so the refusal is played.
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "model.xml"
    path.write_bytes(DATA)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UnreadableFileError, match="may not be read"):
        read_bytes(path)
    with pytest.raises(WriteError, match="may not be written to"):
        write_atomically(path, b"new")


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-20], lambda b: b"plain text", lambda b: b[:30] + b"\xff" * 30 + b[60:]],
    ids=["cut off", "not gzip", "corrupt"],
)
def test_damaged_gzip(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "model.xml.gz"
    path.write_bytes(damage(gzip.compress(os.urandom(1000))))
    with pytest.raises(UnreadableFileError, match="not whole gzip data"):
        read_bytes(path)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"results.*does not exist; create it first"):
        write_atomically(tmp_path / "results" / "model.xml", DATA)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (OSError(28, "No space left on device"), WriteError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["disk full", "interrupted"],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    failure: BaseException,
    raised: type[BaseException],
) -> None:
    path = tmp_path / "model.xml"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        assert len(list(tmp_path.iterdir())) == 2, "fails while the temporary file is there"
        raise failure

    monkeypatch.setattr(files.os, step, fail)
    with pytest.raises(raised):
        write_atomically(path, DATA)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="permission bits and links are POSIX's")
def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    path, link, fresh = tmp_path / "model.xml", tmp_path / "link.xml", tmp_path / "fresh.xml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_atomically(link, DATA)
    assert link.is_symlink()
    assert path.read_bytes() == DATA
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    write_atomically(fresh, DATA)
    plain = tmp_path / "plain.xml"
    plain.write_bytes(DATA)
    assert fresh.stat().st_mode == plain.stat().st_mode, "the user's mask decides"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(WriteError, match="folder or a device"):
        write_atomically(pipe, DATA)
    assert pipe.is_fifo()
