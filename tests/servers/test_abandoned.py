"""A disposable server whose process was killed is removed by the next one that starts."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from freehold.servers import Binaries, OwnedServer, disposable
from freehold.servers.abandoned import sweep
from freehold.servers.account import server_account

FORGETFUL = """
import sys, time
from pathlib import Path
from freehold.servers import disposable, find_installed
with disposable(find_installed(directory=Path(sys.argv[1]))) as server:
    print(server.data_directory, flush=True)
    time.sleep(60)
"""


def test_server_of_a_killed_process_is_removed(binaries: Binaries) -> None:
    process = subprocess.Popen([sys.executable, "-c", FORGETFUL, str(binaries.bin)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    data = Path(process.stdout.readline().strip())
    left = OwnedServer(data, binaries)
    assert left.running
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert left.running
    with disposable(binaries):
        assert not left.running
        assert not data.parent.exists()


def test_server_of_a_live_process_stays(own_server: OwnedServer) -> None:
    home = own_server.data_directory.parent
    assert home not in sweep(server_account(), {home.parent})
    assert own_server.running
