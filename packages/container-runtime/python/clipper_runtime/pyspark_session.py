"""The one SparkSession of a process: how it is set up, and how its loss is noticed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clipper_runtime.failure import Failure, describe_exception
from clipper_runtime.markers import version_key
from clipper_runtime.pyspark_scratch import SparkScratch
from clipper_runtime.pyspark_versions import Java

DEFAULT_THREADS = 1
#: How long Spark may take to stop: less than a replica has between SIGTERM and SIGKILL.
_STOP_SECONDS = 4.0
#: How long the Java process may still be ending when a call to it has failed.
_ENDING_SECONDS = 2.0
#: What serves small batches best: most of a batch's time is code that runs once, which a second compiler only
#: competes with. Measured on two cores: half the CPU time until the first answer, and still a third less per
#: batch after 300 of them.
_JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
#: Variables by which a shell would make this another session than the settings say.
_FOREIGN_VARIABLES = (
    *("SPARK_CONF_DIR", "SPARK_LOCAL_DIRS", "SPARK_LOCAL_HOSTNAME", "SPARK_MASTER", "MASTER", "SPARK_DRIVER_MEMORY"),
    *("PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"),
    *("SPARK_REMOTE", "SPARK_API_MODE", "SPARK_CONNECT_MODE_ENABLED", "SPARK_DIST_CLASSPATH"),
)


@dataclass(frozen=True)
class SparkSettings:
    """`threads` is the n of `local[n]`, 0 for all cores; `conf` goes over what is set here."""

    threads: int = DEFAULT_THREADS
    conf: Mapping[str, str] = field(default_factory=dict)


def read_spark_settings(environ: Mapping[str, str]) -> SparkSettings:
    """From CLIPPER_SPARK_THREADS and CLIPPER_SPARK_CONF (a JSON object). Raises Failure BUNDLE_INVALID."""
    threads = environ.get("CLIPPER_SPARK_THREADS") or str(DEFAULT_THREADS)
    if not (threads.isascii() and threads.isdigit()):
        raise Failure("BUNDLE_INVALID", f"CLIPPER_SPARK_THREADS is {threads!r}, and a number is due")
    return SparkSettings(int(threads), parse_conf(environ.get("CLIPPER_SPARK_CONF") or "{}"))


def parse_conf(text: str) -> Mapping[str, str]:
    """Raises Failure BUNDLE_INVALID."""
    try:
        conf = json.loads(text)
    except ValueError:
        conf = None
    if not isinstance(conf, dict) or not all(
        isinstance(value, str) and key.startswith("spark.") for key, value in conf.items()
    ):
        raise Failure(
            "BUNDLE_INVALID", f"Spark's settings are a JSON object of spark.… to text, not {text[:200]}"
        )
    return conf


class Session:
    """A started session. `spark` is the SparkSession."""

    def __init__(self, spark: Any, scratch: SparkScratch) -> None:
        self.spark = spark
        self._context = spark.sparkContext
        self._java: subprocess.Popen[bytes] = self._context._gateway.proc
        self._scratch = scratch
        self._stopping = threading.Event()

    def watch(self, on_lost: Callable[[str], None]) -> None:
        """Calls `on_lost`, from a thread of its own, when the Java process ends before `stop`."""

        def wait() -> None:
            status = self._java.wait()
            if not self._stopping.is_set():
                on_lost(_ended(status))

        threading.Thread(target=wait, name="spark watch", daemon=True).start()

    def why_lost(self) -> str | None:
        """Why no call can succeed any more; None while one can. Asked after a call has failed."""
        from py4j.protocol import Py4JError

        try:
            if self._context._jsc is not None and not self._context._jsc.sc().isStopped():
                return None
            return "the function stopped the Spark session"
        except (Py4JError, OSError):
            try:
                return _ended(self._java.wait(_ENDING_SECONDS))
            except subprocess.TimeoutExpired:
                return "the Java process of Spark does not answer"

    def stop(self) -> None:
        """Stops Spark and removes what it left on disk. Takes a few seconds at most; may be called twice."""
        self._stopping.set()
        stopping = threading.Thread(target=self._stop_spark, name="spark stop", daemon=True)
        stopping.start()
        stopping.join(_STOP_SECONDS)
        self._java.kill()
        self._scratch.close()

    def _stop_spark(self) -> None:
        try:
            self.spark.stop()
        except Exception:
            pass  # it is gone already; its process is ended next


def start_session(
    name: str, java: Java, settings: SparkSettings, *, modules: str | None = None
) -> Session:
    """Starts Spark in this process, which must not have a session. `modules` is a directory whose modules
    Spark's Python workers import too.

    Raises Failure SPARK_FAILED with what Spark said, PYSPARK_MISMATCH when another Spark than PySpark's own
    was started.
    """
    import pyspark
    from pyspark.sql import SparkSession

    scratch = SparkScratch()
    for variable in _FOREIGN_VARIABLES:
        os.environ.pop(variable, None)
    # a Spark installed elsewhere must not stand in for the one that is locked; workers run this Python
    os.environ.update(
        JAVA_HOME=java.home,
        SPARK_HOME=os.path.dirname(pyspark.__file__),
        PYSPARK_PYTHON=sys.executable,
        PYSPARK_DRIVER_PYTHON=sys.executable,
        # or Spark looks for the machine's own name, which a container without a network has not
        SPARK_LOCAL_IP="127.0.0.1",
    )
    if modules is not None:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (modules, os.environ.get("PYTHONPATH"))))
    # Spark sets a handler that ends whatever runs when it comes
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        builder = SparkSession.builder.appName(name)
        for key, value in _conf(settings, str(scratch.path)).items():
            builder = builder.config(key, value)
        spark = builder.getOrCreate()
    except Exception as error:
        scratch.close()
        raise Failure(
            "SPARK_FAILED",
            f"Spark did not start on Java {java.version}: {describe_exception(error, 2048)}",
            hint="the log has what Spark said; check the settings, its memory first",
            facts={"java": java.to_json(), "conf": dict(settings.conf)},
        ) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, interrupt)
    session = Session(spark, scratch)
    if version_key(spark.version) != version_key(pyspark.__version__):
        session.stop()
        raise Failure(
            "PYSPARK_MISMATCH",
            f"PySpark is {pyspark.__version__}, and it started Spark {spark.version}",
            facts={"pyspark": pyspark.__version__, "spark": spark.version},
        )
    return session


def _conf(settings: SparkSettings, scratch: str) -> Mapping[str, str]:
    threads = str(settings.threads or os.cpu_count() or 1)
    java_options = f"{_JAVA_OPTIONS} -Djava.io.tmpdir={scratch} -Dderby.system.home={scratch}"
    theirs = settings.conf.get("spark.driver.extraJavaOptions", "")
    return {
        "spark.master": f"local[{threads}]",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "WARN",
        # nobody else is to reach it
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": scratch,
        "spark.sql.warehouse.dir": f"{scratch}/warehouse",
        "spark.jars.ivy": f"{scratch}/ivy",
        # batches are small: the default of 200 parts costs more than the work in them
        "spark.sql.shuffle.partitions": threads,
        "spark.default.parallelism": threads,
        # kept although there is no page to show them on, in a session that lives for months
        "spark.ui.retainedJobs": "20",
        "spark.ui.retainedStages": "20",
        "spark.ui.retainedTasks": "200",
        "spark.sql.ui.retainedExecutions": "20",
        **settings.conf,
        "spark.driver.extraJavaOptions": f"{java_options} {theirs}".rstrip(),
    }


def _ended(status: int) -> str:
    how = f"by signal {-status}" if status < 0 else f"with status {status}"
    return f"the Java process of Spark has ended {how}"
