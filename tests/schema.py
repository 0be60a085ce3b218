# schema.py SCHEMA-DIR [ok|bad|skip] NAME FILE ... - hold JSON files against config-schema.json; prints TAP.
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")  # newer releases want another way to find referenced files
from jsonschema import Draft4Validator, RefResolver  # noqa: E402

directory = os.path.abspath(sys.argv[1])
store = {}
for name in os.listdir(directory):
    if name.endswith(".json"):
        with open(os.path.join(directory, name)) as file:
            store["file://" + os.path.join(directory, name)] = json.load(file)
base = "file://" + os.path.join(directory, "config-schema.json")
schema = dict(store[base])
schema.pop("id", None)  # the web address, where nothing is looked up
validator = Draft4Validator(schema, resolver=RefResolver(base, schema, store=store))

failed = False
cases = list(zip(*[iter(sys.argv[2:])] * 3))
for number, (wanted, name, path) in enumerate(cases, 1):
    if wanted == "skip":
        print(f"ok {number} - {name}")
        continue
    try:
        with open(path) as file:
            errors = [e.message for e in validator.iter_errors(json.load(file))]
    except ValueError as error:
        errors = [str(error)]
    good = bool(errors) == (wanted == "bad")
    failed |= not good
    print(f"{'ok' if good else 'not ok'} {number} - {name}")
    if not good:
        print("\n".join("# " + error for error in errors) or "# no error was found")
print(f"1..{len(cases)}")
sys.exit(failed)
