from __future__ import annotations

import os
import sys
import unittest

from clipper_runtime.markers import marker_holds, parse_requirement, version_key

_MINOR = "%d.%d" % sys.version_info[:2]


class Markers(unittest.TestCase):
    def test_markers_hold_or_not_for_this_interpreter(self) -> None:
        cases = {
            "": True,
            "python_version >= '3.10'": True,
            "python_version < '3.10'": False,
            f'python_version == "{_MINOR}"': True,
            f"python_version ~= '{_MINOR}'": True,
            "python_version in '2.7 3.1'": False,
            f"python_version not in '{_MINOR}'": False,
            f"os_name == '{os.name}' and sys_platform == '{sys.platform}'": True,
            "os_name == 'nt' or (python_version > '3' and os_name != 'nt')": os.name != "nt",
            "(os_name == 'a' or os_name == 'b') and python_version > '3'": False,
            "python_full_version >= '3.10.0' and '3.99' > python_version": True,
            "python_version == '3.*'": True,
            "platform_python_implementation == 'NoSuchPython'": False,
            "extra == 'speed'": False,
        }
        for marker, holds in cases.items():
            with self.subTest(marker):
                self.assertEqual(marker_holds(marker), holds)
        self.assertTrue(marker_holds("extra == 'speed'", "speed"))

    def test_a_marker_nobody_can_read_counts_as_true(self) -> None:
        for marker in (
            "what is this",
            "unknown_name == '1'",
            "python_version >=",
            "(python_version > '3'",
            "'a'",
        ):
            with self.subTest(marker):
                self.assertTrue(marker_holds(marker))

    def test_requirements_are_read_in_old_and_new_spelling(self) -> None:
        found = parse_requirement('numpy[extra_one, two] (>=1.2,<3) ; python_version > "3"')
        assert found is not None
        self.assertEqual(
            (found.name, found.extras, found.marker), ("numpy", ("extra_one", "two"), 'python_version > "3"')
        )
        self.assertIsNone(parse_requirement(" >=1"))

    def test_versions_are_ordered_by_their_numbers(self) -> None:
        self.assertLess(version_key("2.9"), version_key("2.10"))
        self.assertEqual(version_key("2.2"), version_key("2.2.0"))
