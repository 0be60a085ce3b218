# compatibility.py SCHEMA-DIR PAGE - every field of config-schema.json has a line in the page, and no other has; prints TAP.
import json
import pathlib
import re
import sys

directory, page = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])


def load(name):
    path = directory / name
    return json.loads(path.read_text()) if path.exists() else {}  # those of other systems are not there


def resolve(reference, document):
    name, _, inside = reference.partition("#")
    node = document = load(name) if name else document
    for part in inside.split("/"):
        node = node.get(part, {}) if part else node
    return node, document


def fields(node, document, path):
    if "$ref" in node:
        yield from fields(*resolve(node["$ref"], document), path)
    for one in node.get("anyOf", []) + node.get("allOf", []):
        yield from fields(one, document, path)
    for name, value in node.get("properties", {}).items():
        yield f"{path}{name}"
        yield from fields(value, document, f"{path}{name}.")
    if isinstance(node.get("items"), dict):
        yield from fields(node["items"], document, path[:-1] + "[].")
    if isinstance(node.get("additionalProperties"), dict):
        yield from fields(node["additionalProperties"], document, path + "*.")


def short(field):
    """One line stands for the members of all hooks, and of all throttled devices."""
    field = re.sub(r"^hooks\.\w+\[\]", "hooks.*[]", field)
    return re.sub(r"throttle\w+Device\[\]", "throttle*Device[]", field)


schema = load("config-schema.json")
known = {short(field) for field in fields(schema, schema, "")}
lines = [line.split("|")[1] for line in page.read_text().splitlines() if line.startswith("| `")]
written = [field for line in lines for field in re.findall(r"`([^`]+)`", line)]
problems = [f"no line for {field}" for field in sorted(known - set(written))]
problems += [f"not in the schema: {field}" for field in sorted(set(written) - known)]
problems += [f"two lines for {field}" for field in sorted(set(written)) if written.count(field) > 1]
problems += [f"only {len(known)} fields in the schema"] if len(known) < 190 else []
print("1..1")
for problem in problems:
    print("#", problem)
print(f"{'not ok' if problems else 'ok'} 1 - the {len(known)} fields of config.json have one line each in {page.name}")
sys.exit(bool(problems))
