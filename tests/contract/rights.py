"""What every role may do in a service's schema, read from the catalogue as lines for people: grants on tables and columns,
row policies, and functions that run with their owner's rights.
"""

from itertools import groupby
from typing import Any

# Table grants and column grants, of whomever but the owner; `*` is the whole table, columns to come included.
_GRANTS = """
SELECT c.relname::text AS table_name, coalesce(r.rolname, 'PUBLIC')::text AS role, g.privilege_type, '*' AS column_name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE n.nspname = $1 AND g.grantee <> c.relowner
UNION ALL
SELECT c.relname, coalesce(r.rolname, 'PUBLIC'), g.privilege_type, a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(a.attacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE n.nspname = $1 AND g.grantee <> c.relowner
"""
_POLICIES = """
SELECT c.relname::text AS table_name, c.relrowsecurity AS is_walled, c.relkind = 'v' AS is_view,
       coalesce('security_invoker=true' = ANY (c.reloptions), false) AS is_of_caller, p.policyname::text AS name, p.roles::text[] AS roles,
       p.cmd, p.permissive, p.qual, p.with_check
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_policies p ON p.schemaname = n.nspname AND p.tablename = c.relname
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_FUNCTIONS = """
SELECT f.proname::text || '(' || pg_get_function_identity_arguments(f.oid) || ')' AS name,
       coalesce(array_agg(coalesce(r.rolname, 'PUBLIC')::text ORDER BY 1) FILTER (WHERE g.grantee <> f.proowner), '{}') AS roles
FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
CROSS JOIN LATERAL aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) g LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE n.nspname = $1 AND f.prosecdef GROUP BY f.oid, f.proname ORDER BY 1
"""
_WALL = "(school_id = (NULLIF(current_setting('diary.school_id'::text, true), ''::text))::uuid)"
_MEMBERS = """
SELECT m.rolname::text AS role, array_agg(r.rolname::text ORDER BY 1) AS others
FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid
WHERE m.rolname LIKE 'diary\\_' || $1 || '\\_%' GROUP BY 1 ORDER BY 1
"""


async def write_rights(admin: Any, service: str) -> list[str]:
    """The lines of a service, tables in the order of their names."""
    lines: dict[str, list[str]] = {}
    for row in await admin.fetch(_POLICIES, service):
        lines.setdefault(row["table_name"], [])
        if row["is_view"]:
            lines[row["table_name"]].append(f"view, runs as its {'caller' if row['is_of_caller'] else 'owner'}")
        elif not row["is_walled"]:
            lines[row["table_name"]].append("no wall")
        if row["name"]:
            lines[row["table_name"]].append(_write_policy(row))
    grants = sorted(tuple(row) for row in await admin.fetch(_GRANTS, service))
    for (table, role), found in groupby(grants, key=lambda grant: grant[:2]):
        rights = [_write_right(right, [grant[3] for grant in same]) for right, same in groupby(found, key=lambda g: g[2])]
        lines[table].append(f"{role}: {', '.join(rights)}")
    written = [
        f"{service}: {row['role']} may become {', '.join(row['others'])}" for row in await admin.fetch(_MEMBERS, service)
    ]
    for table in sorted(lines):
        written += [f"{service}.{table}", *(f"    {line}" for line in sorted(lines[table]))]
    for row in await admin.fetch(_FUNCTIONS, service):
        written.append(f"{service}.{row['name']} runs as its owner for {', '.join(row['roles'])}")
    return [line.replace(f"diary_{service}_", "") for line in written]


def _write_right(right: str, columns: list[str]) -> str:
    return right if columns == ["*"] else f"{right} ({', '.join(columns)})"


def _write_policy(row: Any) -> str:
    if row["qual"] == row["with_check"] == _WALL and row["cmd"] == "ALL" and row["permissive"] == "PERMISSIVE":
        rule = "the school's own rows"
    else:
        rule = f"{row['permissive'].lower()} {row['cmd']} using {row['qual']} with check {row['with_check']}"
    return f"policy {row['name']} of {', '.join(row['roles'])}: {rule}"
