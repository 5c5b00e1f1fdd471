"""What the tests' own servers leave behind: nothing, also where the test session is killed."""

import os
import subprocess
import sys

from integration.support import PATIENCE, ROOT, wait_for
from sampan.local.binaries import Binaries
from sampan.local.cluster import PORTS_PER_CLUSTER, Cluster
from sampan.local.paths import federation_folder

SESSION = """
import sys, time
from sampan.local.binaries import ensure
from servers import bare_server
with bare_server(ensure(lambda _: None), "killed") as api:
    print("up", flush=True)
    time.sleep(3600)
"""


def test_servers_end_with_a_session_that_is_killed(binaries: Binaries) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "operator", ROOT / "tests")))}
    with subprocess.Popen([sys.executable, "-c", SESSION], env=env, stdout=subprocess.PIPE, text=True) as session:
        try:
            assert session.stdout is not None
            assert session.stdout.readline() == "up\n"
            folder = federation_folder(f"sampan-test-killed-{session.pid}")
            cluster = Cluster("api", folder, ports=(0,) * PORTS_PER_CLUSTER)
            assert len(cluster.pids()) == 3
        finally:
            session.terminate()
        assert session.wait(PATIENCE) != 0
    wait_for(lambda: not cluster.pids(), "its servers have ended")
    wait_for(lambda: not folder.exists(), "their files are gone")
