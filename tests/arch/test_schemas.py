"""The schemas of JSON agree with the tables that make it: each report has one, each section the
columns of its row, in the types of columns.def; and each schema is one."""
import json
import pathlib
import re
import sys

import jsonschema

from common import expect, finish

STRING = r'"((?:\\.|[^"\\])*)"'
TYPES = {"TEXT": "string", "WORD": "string", "COUNT": "integer", "BYTES": "integer",
         "FLAG": "boolean", "TENTHS": "number", "LIST": "array"}


def columns(text):
    """{name: (key, type)}"""
    rows = re.findall(rf"^COLUMN\((\w+), {STRING}, (\w+), {STRING}\)$", text, re.MULTILINE)
    expect(len(rows) == len(re.findall(r"^COLUMN\(", text, re.MULTILINE)), "rows of columns")
    return {name: (key, TYPES[kind]) for name, key, kind, _ in rows}


def sections(text):
    """[(key, [names of columns])]"""
    rows = re.findall(rf"^SECTION\(\w+, {STRING}, {STRING}, \d+,(.*?)\)$", text,
                      re.MULTILINE | re.DOTALL)
    expect(len(rows) == len(re.findall(r"^SECTION\(", text, re.MULTILINE)), "rows of sections")
    return [(key, re.findall(r"C_\((\w+)\)", names)) for key, _, names in rows]


def commands_with_json(text):
    """The words of commands that take --json, as names of files."""
    rows = re.findall(rf"^CMD\({STRING}, \w+,\s*{STRING},", text, re.MULTILINE)
    return [words.replace(" ", "-") for words, arguments in rows if "--json" in arguments]


def check_section(where, key, schema, wanted):
    row = schema["items"]
    found = {name: value["type"][0] for name, value in row["properties"].items()}
    if list(found.items()) != wanted or row["required"] != [name for name, _ in wanted]:
        yield f"{where}:1: {key} is not what the tables say: {wanted}"
    if row["additionalProperties"] is not False:
        yield f"{where}:1: {key} lets anything through"


def check_report(where, schema, word, tables):
    """tables: {key of a section: [(key of a column, type)]}"""
    if schema["properties"]["report"]["const"] != word:
        yield f"{where}:1: it is about another report"
    for key, section in schema["properties"]["sections"]["properties"].items():
        if key not in tables:
            yield f"{where}:1: there is no section {key}"
        else:
            yield from check_section(where, key, section, tables[key])


def self_check():
    known = columns('COLUMN(A, "a", TEXT, "Heading")\nCOLUMN(B, "b", LIST, "B")\n')
    expect(known == {"A": ("a", "string"), "B": ("b", "array")}, "columns")
    expect(sections('SECTION(X, "x", "Head", 1,\n    C_(A), C_(B))\n') == [("x", ["A", "B"])],
           "sections")
    expect(commands_with_json('CMD("a b", f, "[--json]", "x")\nCMD("c", g,\n    "", "y")\n') ==
           ["a-b"], "commands")
    row = {"items": {"additionalProperties": False, "required": ["a"],
                     "properties": {"a": {"type": ["string", "null"]}}}}
    expect(not list(check_section("s", "x", row, [("a", "string")])), "a good section")
    expect(len(list(check_section("s", "x", row, [("a", "integer")]))) == 1, "another type")
    expect(len(list(check_section("s", "x", row, [("a", "string"), ("b", "array")]))) == 1,
           "a column that is missing")


def main(source):
    self_check()
    root, findings = pathlib.Path(source), []
    known = columns((root / "src/core/report/columns.def").read_text(encoding="utf-8"))
    tables = {key: [known[name] for name in names] for key, names in
              sections((root / "src/core/report/sections.def").read_text(encoding="utf-8"))}
    words = re.findall(rf"^REPORT\(\w+, \w+, {STRING},",
                       (root / "src/core/report/reports.def").read_text(encoding="utf-8"),
                       re.MULTILINE)
    schemas = {path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
               for path in sorted((root / "docs/schemas").glob("*.schema.json"))}
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
    wanted = commands_with_json((root / "src/app/cmd/cmds.def").read_text(encoding="utf-8"))
    expect(len(wanted) > len(words), "commands with --json")
    findings += [f"docs/schemas/{name}.schema.json:1: it is missing"
                 for name in wanted if name not in schemas]
    findings += [f"docs/schemas/{name}.schema.json:1: no command prints that"
                 for name in schemas if name not in wanted]
    used = set()
    for word in words:
        where = f"docs/schemas/report-{word}.schema.json"
        schema = schemas.get(f"report-{word}")
        if schema is None:
            continue
        used |= schema["properties"]["sections"]["properties"].keys()
        findings += check_report(where, schema, word, tables)
    findings += [f"src/core/report/sections.def:1: no schema has {key}"
                 for key in sorted(tables.keys() - used)]
    finish(findings, len(schemas) + len(words))


main(sys.argv[1])
