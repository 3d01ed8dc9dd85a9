"""Tests of clipper_runtime.

Real processes, sockets and interpreters; what is not here is skipped with its reason.
"""
