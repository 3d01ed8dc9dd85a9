"""Captures a Python function as a model bundle. `python -m clipper_runtime.capture --help`.

Runs in the user's own interpreter, which may be too old for the rest of this package: this file must still
load there.
"""

import argparse
import json
import os
import sys

LEAST_PYTHON = (3, 10)


def _options(arguments):
    parser = argparse.ArgumentParser(prog="clipper_runtime.capture", description=__doc__)
    parser.add_argument(
        "--function", required=True, help="FILE.py:NAME (by value) or package.module:NAME (by reference)"
    )
    parser.add_argument("--name", required=True, help="name of the model")
    parser.add_argument("--version", required=True, help="version of the model")
    parser.add_argument("--input-type", required=True, help="integers, floats, doubles, strings or bytes")
    parser.add_argument("--output", required=True, help="directory of the bundle")
    parser.add_argument("--sample", help="one input as JSON, or @FILE")
    parser.add_argument("--report", help="file for the result; default: the last line on standard output")
    return parser.parse_args(arguments)


def _refuse_python(report):
    version = "%d.%d.%d" % sys.version_info[:3]
    error = {
        "code": "UNSUPPORTED_PYTHON",
        "message": "%s is Python %s; %d.%d or later is due" % ((sys.executable, version) + LEAST_PYTHON),
        "hint": "name a newer interpreter that has your packages",
        "facts": {"python": sys.executable, "version": version},
    }
    line = json.dumps({"ok": False, "error": error}, sort_keys=True) + "\n"
    if report:
        with open(report, "w") as file:
            file.write(line)
    else:
        sys.stdout.write(line)
    return 1


def main(arguments=None):
    options = _options(arguments)
    if sys.version_info < LEAST_PYTHON:
        return _refuse_python(options.report)
    if os.environ.get("PYTHONHASHSEED", "random") == "random" and arguments is None:
        # Sets are pickled in the order of their hashes: with one seed, one function gives one digest.
        environ = dict(os.environ, PYTHONHASHSEED="0")
        os.execve(sys.executable, [sys.executable, "-m", "clipper_runtime.capture"] + sys.argv[1:], environ)
    from clipper_runtime.capture_command import run

    return run(options)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # threads and exit handlers of the user's code must not keep this process, nor change its result
    os._exit(status)
