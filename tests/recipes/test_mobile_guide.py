"""The files of docs/guides/mobile.md in Node, with a file in place of the keychain, against a real Latchkey."""

import json
import shutil
from pathlib import Path

import pytest

from tests.clients.typescript.conftest import run
from tests.recipes.conftest import Launch
from tests.recipes.snippets import named_blocks, write_files

HERE = Path(__file__).parent / "guides"


@pytest.mark.recipes
def test_app_with_a_keychain_is_still_signed_in_after_a_restart(
    npm_folder: Path, project: Path, launch: Launch
) -> None:
    server = launch()
    write_files(project, named_blocks("guides/mobile.md"), {"https://auth.example.com": server.url})
    for name in ("tsconfig.json", "types/modules.d.ts"):
        shutil.copy(HERE / name, project)
    (project / "built").mkdir()
    shutil.copy(HERE / "phone" / "driver.mjs", project / "built")
    for name in ("expo-secure-store", "react-native"):
        package = project / "node_modules" / name
        package.mkdir(parents=True)
        shutil.copy(HERE / "phone" / f"{name}.mjs", package / "index.mjs")
        (package / "package.json").write_text(json.dumps({"name": name, "type": "module", "exports": "./index.mjs"}))
    (project / "package.json").write_text('{"type": "module"}')
    run("node", npm_folder / "node_modules" / "typescript" / "bin" / "tsc", cwd=project)

    def start_app(step: str = "") -> list[str | int]:
        seen: list[str | int] = json.loads(run("node", "built/driver.mjs", step, cwd=project))
        return seen

    assert start_app() == ["signed-out"]
    assert start_app("sign-in") == ["signed-out", "signed-in", 200]
    stored = (project / "keychain-latchkey").read_text()
    assert len(stored) < 2000
    assert start_app() == ["signed-in", 200]
    assert (project / "keychain-latchkey").read_text() != stored
    server.kill()
    assert start_app() == ["unknown"]
    server.restart()
    assert start_app("sign-out") == ["signed-in", 200, "signed-out"]
    assert start_app() == ["signed-out"]
    assert not (project / "keychain-latchkey").exists()
