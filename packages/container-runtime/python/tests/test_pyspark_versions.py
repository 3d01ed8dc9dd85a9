from __future__ import annotations

import os
from pathlib import Path

from clipper_runtime.failure import Failure
from clipper_runtime.pyspark_versions import (
    Java,
    Triple,
    check_supported,
    check_triple,
    find_java,
    supported_java,
)
from tests.support.bundles import TemporaryDirectoryTest


class FindJava(TemporaryDirectoryTest):
    def java(self, home: str, *lines: str) -> Path:
        """A Java that says those lines on standard error, as a real one does."""
        said = "".join(f"echo '{line}' >&2\n" for line in lines)
        path = self.write(f"{home}/bin/java", f"#!/bin/sh\n{said}")
        path.chmod(0o755)
        return path

    def test_java_home_goes_before_the_path(self) -> None:
        self.java("one", "Property settings:", "    java.home = /one", "    java.version = 17.0.15")
        self.java("two", "    java.home = /two/jre", "    java.version = 1.8.0_392")
        home, path = str(self.directory / "one"), str(self.directory / "two" / "bin")
        self.assertEqual(
            find_java("4.0.0", {"JAVA_HOME": home, "PATH": path + ":/bin"}), Java(home, "17.0.15", 17)
        )
        self.assertEqual(find_java("4.0.0", {"PATH": path + ":/bin"}), Java("/two/jre", "1.8.0_392", 8))

    def test_what_to_install_is_told_when_there_is_none(self) -> None:
        silent = self.java("silent", "no properties")
        for environ in (
            {"PATH": str(self.directory)},
            {"JAVA_HOME": str(self.directory / "gone"), "PATH": os.environ["PATH"]},
            {"JAVA_HOME": str(silent.parent.parent), "PATH": "/bin"},
        ):
            with self.subTest(environ), self.assertRaises(Failure) as raised:
                find_java("4.0.0", environ)
            self.assertEqual(raised.exception.code, "JAVA_MISSING")
            self.assertIn("needs Java 17 or 21", raised.exception.message)
            self.assertIn("openjdk-17", raised.exception.hint or "")


class Versions(TemporaryDirectoryTest):
    def test_each_line_of_pyspark_has_its_javas(self) -> None:
        for pyspark, expected in {
            "3.5.8": (8, 11, 17),
            "4.0.0": (17, 21),
            "4.0.0.dev2": (17, 21),
            "4.1.4": (17, 21),
            "4.2.0": (17, 21, 25),
            "4.3.0": (17, 21, 25),
        }.items():
            self.assertEqual(supported_java(pyspark), expected, pyspark)

    def test_a_java_the_pyspark_does_not_run_on_is_refused(self) -> None:
        check_supported("3.5.8", Java("/j", "11.0.2", 11))
        with self.assertRaises(Failure) as raised:
            check_supported("4.0.0", Java("/j", "11.0.2", 11))
        self.assertEqual(raised.exception.code, "JAVA_MISMATCH")
        self.assertIn("PySpark 4.0.0 runs on Java 17 or 21, and /j is Java 11.0.2", raised.exception.message)

    def test_each_member_of_the_triple_is_compared_and_all_are_named(self) -> None:
        locked = Triple("3.11", "4.0.0", 17)
        check_triple(locked, Triple("3.11", "4.0.0", 17))
        for here, code in (
            (Triple("3.12", "4.0.0", 17), "PYTHON_MISMATCH"),
            (Triple("3.11", "4.0.1", 17), "PYSPARK_MISMATCH"),
            (Triple("3.11", "4.0.0", 21), "JAVA_MISMATCH"),
        ):
            with self.subTest(code), self.assertRaises(Failure) as raised:
                check_triple(locked, here)
            self.assertEqual(raised.exception.code, code)
            self.assertEqual(raised.exception.message.count("Java"), 2)
            for version in (str(locked), str(here)):
                self.assertIn(version, raised.exception.message)
