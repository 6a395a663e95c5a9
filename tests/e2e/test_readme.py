"""The commands of the README do what it says, as printed."""

import asyncio
import json
import re
from pathlib import Path

from deploy.local.launcher import Launcher

_ROOT = Path(__file__).parents[2]


async def test_the_commands_of_the_readme_work_as_printed(region: Launcher) -> None:
    blocks = re.findall(r"<!-- run -->\s*```sh\n(.*?)```", (_ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 3
    script = "\necho; echo ---\n".join(re.sub(r"^ {3}", "", block, flags=re.MULTILINE) for block in blocks)
    # Another address and state folder than a newcomer's, nothing else.
    script = script.replace("http://127.0.0.1:8080", region.region.gateway_url)
    script = script.replace(".diary/", f"{region.region.state.folder}/")
    shell = await asyncio.create_subprocess_exec(
        "bash", "-eu", "-o", "pipefail", "-c", script, cwd=_ROOT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(shell.communicate(), 60)
    assert shell.returncode == 0
    by_json, not_hers, by_grpc = (json.loads(part) for part in output.decode().split("---"))
    assert by_json["lessons"]
    assert by_grpc == by_json
    assert not_hers["details"][0]["reason"] == "STUDENT_NOT_FOUND"
