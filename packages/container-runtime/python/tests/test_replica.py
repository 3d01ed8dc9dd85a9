from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from clipper_runtime import wire
from clipper_runtime.bundle import read_bundle
from tests.support.bundles import TemporaryDirectoryTest, capture_source
from tests.support.fake_frontend import FakeFrontend, FakeReplicaPeer, text_of
from tests.support.running_replica import RunningReplica

_POISON = """
    import sys, time

    def predict(inputs):
        if "poison" in inputs:
            raise ValueError("cannot do poison")
        if "exit" in inputs:
            sys.exit(3)
        if "interrupt" in inputs:
            raise KeyboardInterrupt
        if "deep" in inputs:
            return predict(inputs)
        if "short" in inputs:
            return [one.upper() for one in inputs[1:]]
        if "none" in inputs:
            return None
        if "huge" in inputs:
            return ["x" * (8 * 2**20 + 1) if one == "huge" else one for one in inputs]
        if "slow" in inputs:
            time.sleep(0.6)
        if "hang" in inputs:
            time.sleep(60)
        if "print" in inputs:
            print("the model prints")
        return [one.upper() for one in inputs]
"""


class ReplicaTest(TemporaryDirectoryTest):
    @classmethod
    def setUpClass(cls) -> None:
        directory = tempfile.TemporaryDirectory(prefix="crt-")
        cls.addClassCleanup(directory.cleanup)
        cls.poison = capture_source(Path(directory.name), _POISON)

    def start(
        self, bundle: Path, frontend: FakeFrontend, **options: object
    ) -> tuple[RunningReplica, FakeReplicaPeer]:
        self.addCleanup(frontend.close)
        replica = RunningReplica(bundle, frontend.address, **options)
        self.addCleanup(replica.close)
        peer = frontend.peer()
        self.addCleanup(peer.close)
        return replica, peer

    def unix_frontend(self, name: str = "s") -> FakeFrontend:
        return FakeFrontend(self.directory / name)


class Serving(ReplicaTest):
    def test_says_who_it_is_and_answers_each_input_in_its_place(self) -> None:
        bundle = capture_source(self.directory, _POISON, sample="a")
        _, peer = self.start(bundle, self.unix_frontend())
        hello = peer.data.hello.header
        self.assertEqual((hello["model"], hello["version"], hello["input-type"]), ("m", "1", "strings"))
        self.assertEqual(hello["replica"], "r-1")
        self.assertEqual(hello["bundle-digest"], read_bundle(bundle).digest)
        self.assertEqual(peer.control.hello.header["incarnation"], hello["incarnation"])
        self.assertEqual(hello.get("max-batch", 0), 0)
        self.assertEqual([text_of(item) for item in peer.predict(["a", "ü", ""])], ["A", "Ü", ""])
        (result,) = peer.results
        self.assertEqual(result.header["batch-size"], 3)
        self.assertLess(result.header["queue"], 1_000_000)

    def test_beats_and_answers_ping(self) -> None:
        _, peer = self.start(self.poison, self.unix_frontend())
        self.assertEqual(peer.control.read_type(wire.BEAT).header["age"], 0)
        peer.control.send(wire.PING, id=12)
        self.assertEqual(peer.control.read_type(wire.PONG).id, 12)
        peer.send_batch(["slow"])
        peer.send_batch(["slow"])
        self.assertGreater(peer.control.read_type(wire.BEAT).header["age"], 0)

    def test_only_the_culprit_of_a_batch_fails(self) -> None:
        replica, peer = self.start(self.poison, self.unix_frontend())
        inputs = [f"i{number}" for number in range(31)] + ["poison"]
        outcomes = peer.predict(inputs, request_id="request-9")
        self.assertEqual([text_of(item) for item in outcomes[:-1]], [one.upper() for one in inputs[:-1]])
        self.assertEqual(text_of(outcomes[-1]), "model_error: ValueError: cannot do poison")
        self.assertEqual(sum(frame.header["batch-size"] for frame in peer.results), 32)
        replica.wait_for_log("request-9")
        replica.wait_for_log("Traceback")
        self.assertIsNone(replica.process.poll())

    def test_whatever_the_function_raises_or_returns_the_process_stays(self) -> None:
        replica, peer = self.start(self.poison, self.unix_frontend())
        expected = {
            "exit": "model_error: SystemExit: 3",
            "interrupt": "model_error: KeyboardInterrupt",
            "deep": "model_error: RecursionError",
            "short": "bad_output: the function returned 0 outputs for 1 inputs",
            "none": "bad_output: the function returned NoneType",
            "huge": "bad_output: an output of 8388609 bytes",
        }
        for poison, text in expected.items():
            with self.subTest(poison):
                good, bad = peer.predict(["good", poison])
                self.assertEqual(
                    text_of(good) if poison != "none" else "GOOD", "GOOD" if poison != "huge" else "good"
                )
                self.assertTrue(text_of(bad).startswith(text), text_of(bad))
        self.assertEqual(text_of(peer.predict(["still here"])[0]), "STILL HERE")
        self.assertIsNone(replica.process.poll())

    def test_expired_and_cancelled_items_are_not_called(self) -> None:
        _, peer = self.start(self.poison, self.unix_frontend())
        self.assertTrue(text_of(peer.predict(["a"], remaining_ms=0)[0]).startswith("expired"))
        first = peer.send_batch(["slow"])
        second = peer.send_batch(["a", "b"])
        peer.control.send(wire.CANCEL, cancel=second[1][:1])
        peer.collect(*first)
        cancelled, kept = peer.collect(*second)
        self.assertTrue(text_of(cancelled).startswith("cancelled"))
        self.assertEqual(text_of(kept), "B")

    def test_what_the_model_prints_is_in_the_log_at_once(self) -> None:
        replica, peer = self.start(self.poison, self.unix_frontend())
        peer.predict(["print"])
        replica.wait_for_log("the model prints")

    def test_numbers_come_as_vectors_and_bytes_as_bytes(self) -> None:
        source = "def predict(inputs): return [f'{type(one).__name__} {list(one)}' for one in inputs]"
        for input_type, value, text in (
            ("integers", [1, -2], "array [1, -2]"),
            ("floats", [0.5], "array [0.5]"),
            ("doubles", [0.1], "array [0.1]"),
            ("bytes", b"\xff", "bytes [255]"),
        ):
            with self.subTest(input_type):
                bundle = capture_source(self.directory, source, input_type=input_type)
                replica, peer = self.start(bundle, self.unix_frontend(input_type))
                self.assertEqual(text_of(peer.predict([value], input_type)[0]), text)
                wrong = peer.predict(["text"], "strings")[0]
                if input_type != "bytes":
                    self.assertTrue(text_of(wrong).startswith("bad_input"), text_of(wrong))
                replica.close()

    def test_arrays_that_the_function_keeps_are_not_overwritten_by_later_batches(self) -> None:
        try:
            import numpy  # noqa: F401
        except ImportError:
            self.skipTest("numpy is not installed here")
        source = """
            import numpy
            kept = []
            def predict(inputs):
                kept.extend(inputs)
                return [str(float(numpy.sum(kept[0]))) for one in inputs]
        """
        bundle = capture_source(self.directory, source, input_type="doubles")
        _, peer = self.start(bundle, self.unix_frontend())
        for number in range(50):
            (outcome,) = peer.predict([[float(number + 1)] * (10 + 40 * number)], "doubles")
            self.assertEqual(text_of(outcome), "10.0")


class Connections(ReplicaTest):
    def test_proves_the_secret_over_tcp(self) -> None:
        secrets = self.directory / "secrets"
        secrets.mkdir()
        (secrets / "rpc").write_bytes(b"key \x00 of the cluster")
        frontend = FakeFrontend(secret=b"key \x00 of the cluster")
        _, peer = self.start(self.poison, frontend, environ={"CLIPPER_SECRETS": str(secrets)})
        self.assertEqual(text_of(peer.predict(["a"])[0]), "A")

    def test_proves_the_secret_over_tls_and_checks_the_certificate(self) -> None:
        openssl = shutil.which("openssl")
        if openssl is None:
            self.skipTest("openssl, which makes the test's certificate, is not installed here")
        secrets = self.directory / "secrets"
        secrets.mkdir()
        (secrets / "rpc").write_bytes(b"key")
        certificate, key = secrets / "ca.pem", self.directory / "key.pem"
        subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
        files = ("-keyout", str(key), "-out", str(certificate))
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files],
            check=True,
            capture_output=True,
        )
        frontend = FakeFrontend(secret=b"key", certificate=(certificate, key))
        _, peer = self.start(self.poison, frontend, environ={"CLIPPER_SECRETS": str(secrets)})
        texts = [f"{number}" * 5_000 for number in range(40)]
        self.assertEqual([text_of(one) for one in peer.predict(texts)], texts)
        self.assertEqual(peer.control.read_type(wire.BEAT).header["age"], 0)
        certificate.unlink()
        stranger = RunningReplica(self.poison, frontend.address, environ={"CLIPPER_SECRETS": str(secrets)})
        self.addCleanup(stranger.close)
        stranger.wait_for_log("CERTIFICATE_VERIFY_FAILED")

    def test_ends_with_64_when_it_is_refused_three_times(self) -> None:
        secrets = self.directory / "secrets"
        secrets.mkdir()
        (secrets / "rpc").write_bytes(b"another key")
        frontend = FakeFrontend(secret=b"key")
        self.addCleanup(frontend.close)
        replica = RunningReplica(self.poison, frontend.address, environ={"CLIPPER_SECRETS": str(secrets)})
        self.addCleanup(replica.close)
        self.assertEqual(replica.wait(), 64)
        self.assertEqual(frontend.rejections, 3)
        self.assertTrue(
            replica.log.splitlines()[-1].startswith("clipper-replica: RPC_REJECTED: "), replica.log
        )

    def test_redials_when_it_is_refused_for_its_identity(self) -> None:
        frontend = FakeFrontend(self.directory / "s", reject="identity")
        self.addCleanup(frontend.close)
        replica = RunningReplica(self.poison, frontend.address)
        self.addCleanup(replica.close)
        deadline = time.monotonic() + 15
        while frontend.rejections < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        frontend.reject = None
        peer = frontend.peer()
        self.addCleanup(peer.close)
        self.assertEqual(text_of(peer.predict(["a"])[0]), "A")

    def test_says_how_many_inputs_it_takes_at_once(self) -> None:
        _, peer = self.start(self.poison, self.unix_frontend(), environ={"CLIPPER_MAX_BATCH": "64"})
        for channel in (peer.data, peer.control):
            self.assertEqual(channel.hello.header["max-batch"], 64)

    def test_redials_with_the_same_incarnation_when_a_connection_is_lost(self) -> None:
        frontend = self.unix_frontend()
        _, peer = self.start(self.poison, frontend)
        for lost in ("data", "control"):
            getattr(peer, lost).close()
            again = frontend.peer()
            self.addCleanup(again.close)
            incarnations = {one.data.hello.header["incarnation"] for one in (peer, again)}
            self.assertEqual(len(incarnations), 1)
            self.assertEqual(text_of(again.predict(["a"])[0]), "A")
            peer.close()
            peer = again

    def test_serves_several_frontends_and_follows_their_list(self) -> None:
        one, two = self.unix_frontend("one"), self.unix_frontend("two")
        self.addCleanup(two.close)
        replica, first = self.start(self.poison, one)
        first.control.send(wire.PEERS, {"address": [one.address, two.address]})
        second = two.peer()
        self.addCleanup(second.close)
        for number in range(5):
            sent = first.send_batch([f"a{number}"]), second.send_batch([f"b{number}"])
            self.assertEqual(text_of(first.collect(*sent[0])[0]), f"A{number}")
            self.assertEqual(text_of(second.collect(*sent[1])[0]), f"B{number}")
        second.control.send(wire.PEERS, {"address": [two.address]})
        first.control.read_type(wire.DRAIN)
        late = first.send_batch(["late"])
        self.assertEqual(text_of(first.collect(*late)[0]), "LATE")
        first.serve_control()
        self.assertIsNone(first.data.read())
        self.assertEqual(text_of(second.predict(["b"])[0]), "B")
        self.assertIsNone(replica.process.poll())

    def test_a_frame_that_breaks_the_protocol_closes_that_connection_only(self) -> None:
        frontend = self.unix_frontend()
        replica, peer = self.start(self.poison, frontend)
        peer.data.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(peer.data.read_type(wire.REJECT).header["reason"], "protocol")
        again = frontend.peer()
        self.addCleanup(again.close)
        self.assertEqual(text_of(again.predict(["a"])[0]), "A")
        self.assertIsNone(replica.process.poll())

    def test_frames_in_single_bytes_are_read(self) -> None:
        _, peer = self.start(self.poison, self.unix_frontend())
        send, sent = peer.data.socket.sendall, []
        peer.data.socket = _Recorder(peer.data.socket, sent)
        pending = peer.send_batch(["abc"])
        for byte in b"".join(sent):
            send(bytes([byte]))
        self.assertEqual(text_of(peer.collect(*pending)[0]), "ABC")


class _Recorder:
    """A socket whose writes are kept instead of sent."""

    def __init__(self, connection: object, sent: list[bytes]) -> None:
        self._connection = connection
        self.sendall = sent.append

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


class Ending(ReplicaTest):
    def test_SIGTERM_finishes_the_batch_in_hand_and_those_under_way(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                replica, peer = self.start(self.poison, self.unix_frontend(number.name))
                first = peer.send_batch(["slow"])
                time.sleep(0.1)
                replica.process.send_signal(number)
                peer.control.read_type(wire.DRAIN)
                second = peer.send_batch(["late"])
                peer.serve_control()
                self.assertEqual(text_of(peer.collect(*first)[0]), "SLOW")
                self.assertEqual(text_of(peer.collect(*second)[0]), "LATE")
                self.assertEqual(replica.wait(), 0)

    def test_an_idle_replica_ends_soon_after_SIGTERM(self) -> None:
        replica, peer = self.start(self.poison, self.unix_frontend())
        peer.serve_control()
        started = time.monotonic()
        replica.process.terminate()
        self.assertEqual(replica.wait(), 0)
        self.assertLess(time.monotonic() - started, 1)

    def test_ends_within_five_seconds_of_its_lifeline_even_with_a_batch_that_hangs(self) -> None:
        for poison in ("slow", "hang"):
            with self.subTest(poison):
                replica, peer = self.start(self.poison, self.unix_frontend(poison), lifeline=True)
                pending = peer.send_batch([poison])
                time.sleep(0.1)
                started = time.monotonic()
                replica.end_lifeline()
                if poison == "slow":
                    peer.serve_control()
                    self.assertEqual(text_of(peer.collect(*pending)[0]), "SLOW")
                self.assertEqual(replica.wait(), 0)
                self.assertLess(time.monotonic() - started, 5)

    def test_RECYCLE_ends_a_batch_that_hangs_with_70_and_its_stacks(self) -> None:
        replica, peer = self.start(self.poison, self.unix_frontend())
        peer.send_batch(["hang"])
        time.sleep(0.2)
        peer.control.send(wire.RECYCLE, {"text": "by the test"})
        self.assertEqual(replica.wait(), 70)
        self.assertIn("in predict", replica.log)
        self.assertIn("HANG: recycled: by the test", replica.log.splitlines()[-1])

    def test_a_batch_that_hangs_ends_it_when_control_is_lost(self) -> None:
        replica, peer = self.start(
            self.poison, self.unix_frontend(), environ={"CLIPPER_HANG_LIMIT_MS": "300"}
        )
        peer.send_batch(["hang"])
        time.sleep(0.4)
        peer.close()
        self.assertEqual(replica.wait(), 70)

    def test_a_function_that_holds_the_interpreter_lock_ends_too(self) -> None:
        if not os.environ.get("CLIPPER_SLOW_TESTS"):
            self.skipTest("takes 12 s: set CLIPPER_SLOW_TESTS=1")
        source = (
            "import re\ndef predict(inputs): return [str(re.match('(a*)*b', 'a' * 40)) for one in inputs]"
        )
        bundle = capture_source(self.directory, source)
        replica, peer = self.start(bundle, self.unix_frontend(), environ={"CLIPPER_HANG_LIMIT_MS": "500"})
        peer.send_batch(["x"])
        self.assertEqual(replica.wait(20), 1)

    def test_each_way_not_to_start_has_its_status_and_last_line(self) -> None:
        good = "def predict(inputs): return inputs"
        cases = {
            "raises": ("def predict(inputs): raise ValueError('no')", 5, "PREFLIGHT_FAILED"),
            "short": ("def predict(inputs): return []", 5, "BAD_OUTPUT"),
            "minor": (good, 4, "PYTHON_MISMATCH"),
            "changed": (good, 4, "BUNDLE_INVALID"),
            "module": (
                "import colorsys\ndef predict(inputs): return [str(colorsys.ONE_SIXTH)]",
                3,
                "MODULE_MISSING",
            ),
        }
        for name, (source, status, code) in cases.items():
            with self.subTest(name):
                bundle = capture_source(self.directory, source, sample="a")
                environ = {}
                if name == "minor":
                    manifest = json.loads((bundle / "manifest.json").read_text())
                    (bundle / "manifest.json").write_text(json.dumps({**manifest, "pythonMinor": "2.7"}))
                elif name == "changed":
                    (bundle / "function.pkl").write_bytes(b"changed")
                elif name == "module":
                    # an interpreter that lacks the module: one that finds something else by its name
                    self.write(
                        "broken/colorsys.py", "raise ModuleNotFoundError('No module', name='colorsys')"
                    )
                    environ["PYTHONPATH"] = f"{self.directory / 'broken'}:{os.environ['PYTHONPATH']}"
                replica = RunningReplica(bundle, "unix:/nowhere", environ=environ)
                self.addCleanup(replica.close)
                self.assertEqual(replica.wait(), status, replica.log)
                self.assertTrue(
                    replica.log.splitlines()[-1].startswith(f"clipper-replica: {code}: "), replica.log
                )
