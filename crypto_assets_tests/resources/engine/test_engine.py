"""The engines start once, answer, and leave nothing behind."""

from __future__ import annotations

import psutil
import pytest
from click.testing import CliRunner

from crypto_assets.cli import main
from crypto_assets.resources.engine.spark import SparkEngine
from crypto_assets.resources.errors import RefusedError
from crypto_assets_tests.helpers.processes import printed_by


def test_sail_answers_starts_again_and_leaves_no_port_and_no_process_behind():
    found = printed_by(
        """
        import psutil
        from crypto_assets.resources.engine.local import SailEngine
        me = psutil.Process()
        for _ in range(2):
            with SailEngine().session() as session:
                assert session.range(7).count() == 7
                assert [c.status for c in me.net_connections()].count("LISTEN") == 1
        listening = [c for c in me.net_connections() if c.status == "LISTEN"]
        print(len(listening), len(me.children(recursive=True)))
        """
    )
    assert found == "0 0"


def test_sail_listens_on_loopback_only():
    found = printed_by(
        """
        import psutil
        from crypto_assets.resources.engine.local import SailEngine
        with SailEngine().session():
            print({c.laddr.ip for c in psutil.Process().net_connections() if c.status == "LISTEN"})
        """
    )
    assert found == "{'127.0.0.1'}"


@pytest.mark.usefixtures("java")
def test_an_interrupt_of_work_on_spark_stays_an_interrupt():
    found = printed_by(
        """
        import os, signal, threading, time
        from crypto_assets.resources.engine.spark import SparkEngine
        from crypto_assets.spark.job_spec import JobSpec, Partition

        class Interrupted(BaseException):
            pass

        def interrupt(number, frame):
            raise Interrupted

        def once_busy(context):
            while not context.statusTracker().getActiveJobsIds():
                time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGTERM)

        signal.signal(signal.SIGTERM, interrupt)
        try:
            with SparkEngine().running() as execute:
                context = execute.args[0]
                threading.Thread(target=once_busy, args=[context], daemon=True).start()
                waits = tuple(Partition(n, {}, {"dies": "never", "waits": True}) for n in "ABC")
                job = "crypto_assets_tests.toy.dying_job"
                list(execute(JobSpec(job, "", "", ("only",), waits, readers=2, each=True)))
        except BaseException as error:
            print(type(error).__name__)
        """
    )
    assert found == "Interrupted"


def test_spark_without_java_says_so_in_one_line_and_names_the_fix(home, monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RefusedError, match="needs Java 17 or 21"), SparkEngine().session():
        pass
    monkeypatch.setenv("CRYPTO_ASSETS_ENGINE", "spark")
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    line = next(line for line in result.stdout.splitlines() if "engine spark" in line)
    assert line.startswith("FIX")
    assert "CRYPTO_ASSETS_ENGINE=sail" in line


def test_doctor_finds_nothing_to_fix_in_a_fresh_home(home):
    before = psutil.Process().children()  # such as a service of other tests
    result = CliRunner().invoke(main, ["doctor"], catch_exceptions=False)
    assert result.exit_code == 0, result.stdout
    assert "FIX" not in result.stdout
    assert "AWS" not in result.stdout
    assert psutil.Process().children() == before
