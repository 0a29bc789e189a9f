"""Values as SQL literals, for the texts that parts are composed of: hundreds of them, so without a detour."""

from __future__ import annotations

from psycopg import sql


def literal(value: object) -> str:
    """`value` as psycopg's own sql.Literal prints it; the kinds that a part is full of are printed here."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and "\x00" not in value:
        text = value.replace("'", "''")
        return " E'" + text.replace("\\", "\\\\") + "'" if "\\" in text else f"'{text}'"
    if type(value) is int and value >= 0:
        return str(value)
    return sql.Literal(value).as_string()


def filled(template: sql.SQL, *arguments: object, **named: object) -> str:
    """A template with its values as literals; a Composable goes in as it is."""

    def text(value: object) -> str:
        return value.as_string() if isinstance(value, sql.Composable) else literal(value)

    return template.as_string().format(*map(text, arguments), **{name: text(value) for name, value in named.items()})
