"""Runs the unittest tests below a directory and leaves their counts as JSON in a file."""

import argparse
import json
import sys
import unittest


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", required=True)
    parser.add_argument("directory")
    options = parser.parse_args()

    suite = unittest.defaultTestLoader.discover(options.directory)
    result = unittest.TextTestRunner(verbosity=1, stream=sys.stdout).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    # A class whose setUpClass fails is an error though none of its tests ran: never below zero.
    passed = max(0, result.testsRun - failed - len(result.skipped) - len(result.expectedFailures))
    report = {
        "passed": passed + len(result.expectedFailures),
        "failed": failed,
        "skipped": [{"test": test.id(), "reason": reason} for test, reason in result.skipped],
    }
    with open(options.report, "w", encoding="utf-8") as file:
        json.dump(report, file)
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
