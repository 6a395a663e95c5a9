"""A OneRoster 1.1 bundle as a file, and what an operator says beside it. What strangers wrote is read in a bounded process."""

import io
import lzma
import re
import zipfile
import zlib

from pydantic import TypeAdapter

from chassis.imports import ImportRefusedError, Problem
from services.access.roster.rules.oneroster import FILES, read_bundle
from services.access.roster.rules.rosters import ImportedRoster, Wish, build_roster

_MOST_FILES, _MOST_BYTES = 50, 12 * 2**20
# ValueError: a name that is not in the encoding of which it says it is.
_UNREADABLE = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
# What archivers add of their own.
_JUNK = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_ROSTER_FILES = {"manifest.csv", *(f"{name}.csv" for name in FILES)}
_WISH = TypeAdapter(Wish)


def write_wish(wish: Wish) -> str:
    """The wish as it is kept beside its file."""
    return _WISH.dump_json(wish).decode()


def parse_wish(text: str) -> Wish:
    """The wish that was kept."""
    return _WISH.validate_json(text)


def read_roster(file_name: str, body: bytes, wish: Wish) -> ImportedRoster:
    """What a bundle says of the wish's school. Raises ImportRefusedError."""
    return build_roster(read_bundle(read_zip(file_name, body)), wish)


def read_zip(file_name: str, body: bytes) -> dict[str, str]:
    """The texts of the files of a bundle, at most 12 MiB, without what archivers add. Raises ImportRefusedError."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            files = {}
            # Old tools of Windows write backslashes.
            entries = [(entry.filename.replace("\\", "/"), entry) for entry in archive.infolist()]
            entries = [(path_in, entry) for path_in, entry in entries if not (path_in.endswith("/") or _JUNK.search(path_in))]
            if len(entries) > _MOST_FILES or sum(entry.file_size for _, entry in entries) > _MOST_BYTES:
                raise _refuse(file_name, f"больше {_MOST_FILES} файлов или 12 МиБ", "выгрузите список одной школы")
            for path_in, entry in entries:
                file = path_in.rpartition("/")[2]
                if file in files:
                    raise _refuse(file_name, f"файл {file} встречается дважды", "оставьте в архиве одну выгрузку")
                # What is no roster is refused by its name: there is no need to read it.
                files[file] = _read_entry(archive, entry) if file in _ROSTER_FILES else ""
            return files
    except _UNREADABLE as error:
        raise refuse_unreadable(file_name) from error


def refuse_unreadable(file_name: str) -> ImportRefusedError:
    """Of a file that is no ZIP, or cannot be opened."""
    return _refuse(file_name, "не читается как ZIP", "пришлите целый архив без пароля")


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    # The declared size is checked above; reading never goes past it.
    with archive.open(entry) as file:
        content = file.read(entry.file_size)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        problem = Problem(entry.filename, row, "", "не в кодировке UTF-8", "выгрузите список в UTF-8")
        raise ImportRefusedError([problem]) from error


def _refuse(file: str, what: str, mend: str) -> ImportRefusedError:
    return ImportRefusedError([Problem(file, 0, "", what, mend)])
