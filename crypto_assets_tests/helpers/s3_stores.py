"""Servers that speak S3 and that nobody here wrote, on loopback, from Debian's packages.

Ceph's gateway `radosgw`, with the monitor and the storage daemon (in memory) that it wants, and
OpenStack Swift with its middleware `s3api`. They run as whoever runs the tests, without systemd.
"""

from __future__ import annotations

import getpass
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import dedent

from crypto_assets_tests.doubles import REGION
from crypto_assets_tests.helpers.loopback import answers, free_port
from crypto_assets_tests.helpers.processes import logged
from crypto_assets_tests.helpers.waiting import HANG_S, until

SECRET = "made-up-secret"
_USER = "AKIATESTTESTTESTSTORE"


@dataclass(frozen=True)
class Store:
    """Where a server answers, and as whom it is asked; `tls_url` if it also answers over TLS."""

    url: str
    keys: tuple[str, str]
    tls_url: str = ""
    certificate: str = ""


def _installed(*programs: str) -> None:
    """Fails the test, which nobody asked for who does not want these servers."""
    missing = [program for program in programs if not shutil.which(program)]
    assert not missing, f"not on PATH: {', '.join(missing)}; install them, e.g. by make stores"


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"


@contextmanager
def radosgw(folder: Path) -> Iterator[Store]:
    """A Ceph of one monitor, one storage daemon and one gateway, all within this folder."""
    _installed("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin", "openssl")
    fsid, osd, ports = str(uuid.uuid4()), str(uuid.uuid4()), [free_port() for _ in range(4)]
    certificate = folder / "certificate.pem"
    _certify(certificate)
    (folder / "ceph.conf").write_text(_ceph_conf(folder, fsid, ports, certificate))
    (folder / "mon").mkdir()
    (folder / "osd").mkdir()
    conf, gateway = ("-c", "ceph.conf"), ("-n", "client.admin")
    address = f"[v2:127.0.0.1:{ports[0]},v1:127.0.0.1:{ports[1]}]"
    _run(folder, "monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, "monmap")
    _run(folder, "ceph-mon", *conf, "--mkfs", "-i", "a", "--monmap", "monmap")
    with ExitStack() as running:
        running.enter_context(logged(folder / "mon.log", "ceph-mon", *conf, "-f", "-i", "a"))
        _run(folder, "ceph", *conf, "osd", "new", osd)
        made = ("--mkfs", "-i", "0", "--osd-uuid", osd, "--no-mon-config")
        _run(folder, "ceph-osd", *conf, *made)
        running.enter_context(logged(folder / "osd.log", "ceph-osd", *conf, "-f", "-i", "0"))
        user = ("--uid", "tests", "--display-name", "tests", "--access-key", _USER)
        admin = ("radosgw-admin", *conf, *gateway, "user", "create")
        _run(folder, *admin, *user, "--secret-key", SECRET)
        command = ("radosgw", *conf, *gateway, "-f")
        process = running.enter_context(logged(folder / "radosgw.log", *command))
        url = f"http://127.0.0.1:{ports[2]}"
        until("radosgw", lambda: answers(url), by=process)
        yield Store(url, (_USER, SECRET), f"https://127.0.0.1:{ports[3]}", str(certificate))


def _ceph_conf(folder: Path, fsid: str, ports: list[int], certificate: Path) -> str:
    """Nobody has to prove who they are, all is on loopback, and one copy of an object is enough.

    `radosgw` asks its monitor for an encrypted connection, which needs such proofs: thus `crc`.
    """
    return dedent(f"""
        [global]
        fsid = {fsid}
        mon_host = [v2:127.0.0.1:{ports[0]},v1:127.0.0.1:{ports[1]}]
        public_addr = 127.0.0.1
        cluster_addr = 127.0.0.1
        auth_cluster_required = none
        auth_service_required = none
        auth_client_required = none
        ms_mon_client_mode = crc
        run_dir = {folder}
        crash_dir = {folder}
        admin_socket =
        pid_file =
        log_file = {folder}/ceph.log
        mon_data = {folder}/mon
        mon_data_avail_crit = 0
        mon_allow_pool_size_one = true
        osd_data = {folder}/osd
        osd_objectstore = memstore
        osd_pool_default_size = 1
        osd_pool_default_min_size = 1
        osd_pool_default_pg_num = 4
        osd_crush_chooseleaf_type = 0
        memstore_device_bytes = 2147483648
        rgw_data = {folder}
        rgw_frontends = beast endpoint=127.0.0.1:{ports[2]} ssl_endpoint=127.0.0.1:{ports[3]} \
ssl_certificate={certificate}
    """)


def _certify(path: Path) -> None:
    """A certificate of 127.0.0.1 that vouches for itself, with its key in the same file."""
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    name = ("-addext", "subjectAltName=IP:127.0.0.1")
    _run(path.parent, "openssl", *words.split(), *name, "-keyout", path.name, "-out", "cert")
    with path.open("a") as both:
        both.write((path.parent / "cert").read_text())


@contextmanager
def swift(folder: Path) -> Iterator[Store]:
    """A Swift of one device, a folder within this one, and a proxy server that speaks S3."""
    _installed(*(f"swift-{part}-server" for part in (*_PARTS, "proxy")))
    (folder / "devices" / "one").mkdir(parents=True)
    ports = {part: free_port() for part in (*_PARTS, "proxy")}
    _run(folder, "/usr/bin/python3", "-c", _RINGS, *(f"{part}:{ports[part]}" for part in _PARTS))
    with ExitStack() as running:
        for part in _PARTS:
            apps = {f"app:{part}-server": {"use": f"egg:swift#{part}"}}
            filters = {"filter:healthcheck": {"use": "egg:swift#healthcheck"}}
            pipeline = ["healthcheck", f"{part}-server"]
            _configure(folder / f"{part}.conf", ports[part], pipeline, filters | apps)
        _configure(folder / "proxy.conf", ports["proxy"], [*_FILTERS, "proxy-server"], _PROXY)
        servers = {part: running.enter_context(_swift_server(folder, part)) for part in ports}
        urls = {part: f"http://127.0.0.1:{port}" for part, port in ports.items()}
        for part, server in servers.items():
            health = f"{urls[part]}/healthcheck"
            until(f"Swift's {part}", partial(answers, health), by=server)
        yield Store(urls["proxy"], (f"tests:{_USER}", SECRET))


_PARTS = ("account", "container", "object")
# As `swift-ring-builder` does for one ring at each of nine starts.
_RINGS = """
import sys
from swift.common.ring import RingBuilder
for part, port in (word.split(":") for word in sys.argv[1:]):
    ring = RingBuilder(2, 1, 1)
    place = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "one"}
    ring.add_dev({**place, "weight": 1, "replication_ip": "127.0.0.1", "replication_port": port})
    ring.rebalance()
    ring.get_ring().save(part + ".ring.gz")
"""
_FILTERS = ["healthcheck", "cache", "listing_formats", "s3api", "tempauth", "bulk", "slo", "copy"]
_PROXY: dict[str, dict[str, str]] = {
    **{f"filter:{name}": {"use": f"egg:swift#{name}"} for name in _FILTERS},
    "app:proxy-server": {"use": "egg:swift#proxy", "account_autocreate": "true"},
    # s3api wants a cache before it, but no server behind that.
    "filter:cache": {"use": "egg:swift#memcache", "memcache_servers": "127.0.0.1:1"},
    "filter:s3api": {"use": "egg:swift#s3api", "location": REGION},
    "filter:tempauth": {"use": "egg:swift#tempauth", f"user_tests_{_USER}": f"{SECRET} .admin"},
}


def _configure(
    path: Path, port: int, pipeline: list[str], sections: dict[str, dict[str, str]]
) -> None:
    """Writes the configuration of one of Swift's servers, whose devices are beside it."""
    common = {
        "bind_ip": "127.0.0.1",
        "bind_port": str(port),
        "workers": "0",  # all in one process
        "user": getpass.getuser(),
        "swift_dir": str(path.parent),
        "devices": str(path.parent / "devices"),
        "mount_check": "false",
        # On a busy machine: an update of a listing that is late would be left to another daemon.
        **dict.fromkeys(("conn_timeout", "node_timeout", "container_update_timeout"), str(HANG_S)),
    }
    wanted = {
        "DEFAULT": common,
        "pipeline:main": {"pipeline": " ".join(pipeline)},
        **sections,
    }
    lines = (
        line
        for section, values in wanted.items()
        for line in (f"[{section}]", *(f"{name} = {value}" for name, value in values.items()))
    )
    path.write_text("\n".join(lines))


def _swift_server(folder: Path, part: str) -> AbstractContextManager[subprocess.Popen]:
    return logged(folder / f"{part}.log", f"swift-{part}-server", f"{part}.conf", "--verbose")


STORES: dict[str, Callable[[Path], AbstractContextManager[Store]]] = {
    "radosgw": radosgw,
    "swift": swift,
}
