"""Bytes from and to files: transparent gzip on reading, all or nothing on writing."""

from __future__ import annotations

import gzip
import io
import os
import secrets
import stat
import zlib
from pathlib import Path

from sbmlgrad.errors import UnreadableFileError, WriteError

#: Most bytes that one file may hold, decompressed; 1 kB of gzip can stand for 1 MB.
MAX_BYTES = 256 * 2**20


def read_bytes(path: str | Path, *, limit: int = MAX_BYTES) -> bytes:
    """Read a whole file, decompressed if its name ends in `.gz`.

    Args:
        path: the file.
        limit: most bytes to accept, after decompression.

    Returns:
        Its contents.

    Raises:
        UnreadableFileError: there is no such file, it is a folder, may not be read, is larger than
            the limit, or is called `.gz` and is not gzip or cut off.
    """
    try:
        with open(path, "rb") as file:
            if Path(path).suffix.lower() == ".gz":
                with gzip.GzipFile(fileobj=file) as unpacked:
                    data = unpacked.read(limit + 1)
            else:
                data = file.read(limit + 1)
    except FileNotFoundError:
        raise _unreadable(path, "there is no such file", "check the name and the folder") from None
    except IsADirectoryError:
        raise _unreadable(path, "it is a folder", "name a file in it") from None
    except PermissionError:
        raise _unreadable(path, "it may not be read", "change its permissions") from None
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise _unreadable(
            path, f"it is called .gz but is not whole gzip data ({error})", "fetch it again"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise _unreadable(path, str(error), "check the name and the disk") from error
    if len(data) > limit:
        raise _unreadable(
            path,
            f"it holds more than {limit} bytes, decompressed where packed, and is read as a whole",
            "remove what is not needed from it",
        )
    return data


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write a whole file, compressed if its name ends in `.gz`: afterwards it is new, or as before.

    A file that is there is replaced and keeps its permissions; a link keeps pointing to it. The
    same data always give the same bytes, compressed ones included.

    Args:
        path: the file; its folder must exist.
        data: its contents, not yet compressed.

    Raises:
        WriteError: the folder does not exist, may not be written to or is full, or the path is
            a folder or a device.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise _unwritable(path, "it is a folder or a device", "name a file")
        if not target.parent.is_dir():
            raise _unwritable(
                path, f"the folder '{Path(path).parent}' does not exist", "create it first"
            )
        _replace(target, _packed(data) if Path(path).suffix.lower() == ".gz" else data)
    except PermissionError:
        raise _unwritable(
            path, "its folder may not be written to", "choose another, or change its permissions"
        ) from None
    except (OSError, ValueError) as error:
        raise _unwritable(path, str(error), "check the name, the folder and the disk") from error


def _replace(target: Path, data: bytes) -> None:
    # In the same folder, since only within one file system is a replacement atomic.
    temporary = target.with_name(f".sbmlgrad-{secrets.token_hex(8)}.tmp")
    try:
        # Opened plainly, not by tempfile, so that the user's mask decides on permissions.
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(temporary, target)
    except BaseException:  # an interruption by the user included
        temporary.unlink(missing_ok=True)
        raise


def _packed(data: bytes) -> bytes:
    buffer = io.BytesIO()
    # Neither time nor file name, so that the bytes depend on the data alone.
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as packer:
        packer.write(data)
    return buffer.getvalue()


def _unreadable(path: str | Path, found: str, advice: str) -> UnreadableFileError:
    return UnreadableFileError(f"file '{path}' cannot be read: {found}; {advice}")


def _unwritable(path: str | Path, found: str, advice: str) -> WriteError:
    return WriteError(f"file '{path}' cannot be written: {found}; {advice}")


def check_folder(path: str | Path) -> None:
    """Raise a `WriteError` if a folder for results cannot be made or written; makes nothing."""
    folder = Path(path)
    existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not existing.is_dir():
        raise _unwritable(path, f"'{existing}' is a file", "name another folder")
    if not os.access(existing, os.W_OK):
        raise _unwritable(path, f"'{existing}' is not writable", "name another folder")
