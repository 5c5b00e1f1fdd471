"""Commands, terminals and ports of real containers, reached by the tenant through hub, operator, the member's API server and kubelet."""

import fcntl
import hashlib
import os
import pty
import random
import signal
import struct
import subprocess
import sys
import termios
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from e2e.life import H100, TEAM, World, job
from e2e.test_commands import start
from e2e.test_real_nodes import real_job
from integration.support import PATIENCE, FederationUnderTest, wait_for
from sampan.local.up import wait_answering

SERVES = "cd /tmp; echo hello > index.html; httpd -f -p 8080 & while :; do echo tick; sleep 0.2; done"


@pytest.fixture(scope="module")
def world(real_nodes: FederationUnderTest) -> Iterator[World]:
    """Hub, a member with real nodes whose provider allows it, the operator, and a job that runs."""
    made = World(real_nodes)
    wait_answering(real_nodes.federation, real_nodes.binaries)
    made.submit(real_job("shell", SERVES))
    made.reaches("shell", "Running")
    yield made
    made.clear()


def ran(world: World, *arguments: str, given: bytes | None = None, env: Mapping[str, str] | None = None) -> tuple[int, bytes, str]:
    """Exit code, output and words of a `sampan` command as the tenant."""
    env = {**os.environ, "KUBECONFIG": str(world.fed.tenant.kubeconfig), **(env or {})}
    command = [sys.executable, "-m", "sampan", *arguments]
    done = subprocess.run(command, env=env, input=given, capture_output=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def test_a_command_s_outputs_and_exit_code_come_back_apart(world: World) -> None:
    script = "echo out; echo err >&2; exit 3"
    assert ran(world, "exec", "-n", TEAM, "shell", "--", "sh", "-c", script) == (3, b"out\n", "err\n")
    code, out, err = ran(world, "exec", "-n", TEAM, "shell", "--", "no-such-program")
    assert (code, out) == (1, b"")
    assert "no-such-program" in err


def test_input_and_output_are_passed_byte_for_byte(world: World) -> None:
    data = random.Random(7).randbytes(3 * 1024 * 1024)
    code, out, err = ran(world, "exec", "-i", "-n", TEAM, "shell", "--", "cat", given=data)
    assert (code, len(out), err) == (0, len(data), "")
    assert out == data
    digest = hashlib.sha256(data).hexdigest().encode()
    assert ran(world, "exec", "-i", "-n", TEAM, "shell", "--", "sha256sum", given=data)[1].split()[0] == digest


def test_a_terminal_has_the_size_of_the_one_before_it_and_follows_it(world: World) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
    env = {**os.environ, "KUBECONFIG": str(world.fed.tenant.kubeconfig)}
    command = [sys.executable, "-m", "sampan", "exec", "-it", "-n", TEAM, "shell", "--", "sh"]
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    seen = b""

    def shows(text: bytes) -> bool:
        nonlocal seen
        seen += os.read(ours, 65536)
        return text in seen

    wait_for(lambda: shows(b"$ "), "a prompt")
    os.write(ours, b"stty size\n")
    wait_for(lambda: shows(b"33 101"), "the size")
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 132, 0, 0))
    process.send_signal(signal.SIGWINCH)
    os.write(ours, b"until stty size | grep '44 13'2; do sleep 0.1; done\n")
    wait_for(lambda: shows(b"44 132"), "the new size")
    os.write(ours, b"echo sleepi''ng; sleep 1000; echo awa''ke\n")
    wait_for(lambda: shows(b"sleeping"), "a command that only Ctrl-C ends")
    seen = b""
    os.write(ours, b"\x03")  # it ends the command there, not the one here
    wait_for(lambda: shows(b"$ "), "another prompt")
    os.write(ours, b"exit 4\n")
    assert process.wait(PATIENCE) == 4
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def test_the_process_itself_is_watched(world: World) -> None:
    attached = start(world, "attach", "-n", TEAM, "shell")
    assert attached.stdout is not None
    assert attached.stdout.readline() == "tick\n"
    attached.send_signal(signal.SIGINT)
    assert attached.wait(PATIENCE) == 130
    attached.communicate()


def test_connections_to_a_port_here_lead_to_the_job(world: World) -> None:
    forwarding = start(world, "port-forward", "-n", TEAM, "shell", ":8080", ":8081")
    assert forwarding.stdout is not None
    addresses = [forwarding.stdout.readline().split()[2] for _ in range(2)]
    assert all(address.startswith("127.0.0.1:") for address in addresses)

    def fetched(_: int) -> bytes:
        with urllib.request.urlopen(f"http://{addresses[0]}/index.html", timeout=PATIENCE) as answer:
            return bytes(answer.read())

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(fetched, range(12))) == {b"hello\n"}
    with pytest.raises(OSError):  # noqa: PT011  nobody listens there: whichever way the connection ends
        urllib.request.urlopen(f"http://{addresses[1]}/", timeout=PATIENCE)
    forwarding.send_signal(signal.SIGINT)
    _, err = forwarding.communicate(timeout=PATIENCE)
    assert forwarding.returncode == 0
    assert err.startswith("port 8081: ")
    assert "connection refused" in err


def test_output_without_end_that_nobody_reads_harms_no_other_job(world: World) -> None:
    endless = [start(world, "exec", "-n", TEAM, "shell", "--", "yes") for _ in range(3)]
    for each in endless:
        assert each.stdout is not None
        assert each.stdout.readline() == "y\n"
    world.submit(job("beside", "sleep 1", device=(H100, 1)), real_job("beside-real", "echo done"))
    world.reaches("beside", "Succeeded")
    world.reaches("beside-real", "Succeeded")
    for each in endless:
        assert each.poll() is None
        each.kill()
        each.communicate()


@pytest.fixture
def looker(world: World) -> Iterator[dict[str, str]]:
    """Who has the stock role `view` in the tenant's namespace and is in the environment of a `sampan` command."""
    hub = yaml.safe_load(world.fed.tenant.kubeconfig.read_text())["clusters"][0]["cluster"]
    world.fed.hub.kubectl("create", "serviceaccount", "looker", "-n", TEAM)
    world.fed.hub.kubectl("create", "rolebinding", "looker-views", "--clusterrole=view", f"--serviceaccount={TEAM}:looker", "-n", TEAM)
    token = world.fed.hub.kubectl("create", "token", "looker", "-n", TEAM).strip()
    made = {"SERVER": hub["server"], "CA": hub["certificate-authority-data"], "TOKEN": token, "NAMESPACE": TEAM}
    yield {f"SAMPAN_HUB_{name}": value for name, value in made.items()}
    world.fed.hub.kubectl("delete", "-n", TEAM, "--ignore-not-found", *GIVEN, "rolebinding/looker-views", "serviceaccount/looker")


GIVEN = ("role/looker", "rolebinding/looker")
"""`get` on all of the query API."""


def test_get_alone_opens_no_shell(world: World, looker: dict[str, str]) -> None:
    code, _, err = ran(world, "exec", "shell", "--", "id", env=looker)
    assert code == 1
    assert 'cannot get resource "computejobs/exec"' in err
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "looker", "namespace": TEAM}}
    world.fed.hub.apply({**role, "rules": [{"apiGroups": ["query.sampan.dev"], "resources": ["*"], "verbs": ["get"]}]})
    world.fed.hub.kubectl("create", "rolebinding", "looker", "--role=looker", f"--serviceaccount={TEAM}:looker", "-n", TEAM)
    wait_for(lambda: "lacks create on computejobs/exec" in ran(world, "exec", "shell", "--", "id", env=looker)[2], "the operator refuses")
