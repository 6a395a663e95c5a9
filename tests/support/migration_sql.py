"""Writes the SQL of migrations that have not been released, a file each, for squawk to read: `make verify`."""

import importlib.util
import io
import sys
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations

SERVICES = Path(__file__).resolve().parents[2] / "services"
# The newest migration of each service before squawk was asked. What stands up to it has run and is not judged again.
RELEASED = {"access": "0026", "journal": "0021", "notify": "0020", "documents": "0020"}
# Migrations begin with these (chassis/migrate.py), so a statement that waits for a lock gives up.
_BOUNDS = "SET lock_timeout = '4s';\nSET statement_timeout = '5s';\n"


def write_sql(path: Path) -> str:
    """What a migration would run, each in the transaction in which it would."""
    spec = importlib.util.spec_from_file_location(f"migration_{path.parent.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written, "transactional_ddl": True}
    )
    with Operations.context(context), context.begin_transaction(_per_migration=True):
        module.upgrade()
    return f"{_BOUNDS}BEGIN;\n{written.getvalue()}COMMIT;\n"


def main(folder: Path) -> None:
    """Writes them into a folder and prints their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.sql"):
        old.unlink()
    for service, released in RELEASED.items():
        for path in sorted((SERVICES / service / "migrations").glob("[0-9]*.py")):
            if path.stem[:4] > released:
                target = folder / f"{service}-{path.stem}.sql"
                target.write_text(write_sql(path))
                print(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
