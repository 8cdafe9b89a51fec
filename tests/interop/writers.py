"""Outside writers: each captures the odd site, its file is imported, and every page is compared with our capture."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.command import Command
from tests.interop.compare import Page, compared, pages_of
from tests.interop.environments import Environment, Unavailable
from tests.interop.guesses import WRITERS
from tests.interop.rows import Row
from tests.interop.site import page_paths
from tests.interop.tools import ENVIRONMENTS
from tests.site import Site
from tests.waiting import wait_for

_PATIENCE = 120  # seconds for one writer


@dataclass(frozen=True)
class Job:
    """What a writer is given: the running site, the pages to ask for, and a folder of its own."""

    site: Site
    urls: list[str]
    folder: Path

    def run(self, tool: Environment | None, *command: str, check: bool = True) -> str:
        """Run a command of a tool in the folder; returns what it printed.

        Raises RuntimeError with its last line where it ends with a failure.
        """
        variables = tool.variables() if tool else None
        done = subprocess.run(
            command, cwd=self.folder, env=variables, capture_output=True, text=True, errors="replace", timeout=_PATIENCE
        )
        if check and done.returncode:
            words = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
            raise RuntimeError(f"{Path(command[0]).name} ends with {done.returncode}: {words[:200]}")
        return done.stdout + done.stderr

    def listed(self) -> str:
        """Return the path of a file with the URLs, one a line."""
        path = self.folder / "urls.txt"
        path.write_text("\n".join(self.urls) + "\n")
        return str(path)


def _tool(name: str) -> Environment:
    environment = ENVIRONMENTS[name]
    environment.install()
    return environment


def _wget(job: Job) -> list[Path]:
    if not (program := shutil.which("wget")):
        raise Unavailable("no wget on this machine")
    job.run(None, program, "-q", "-t1", "-T5", "-O", "/dev/null", "--warc-file=wget", "-i", job.listed(), check=False)
    return [job.folder / "wget.warc.gz"]


def _mirror_by_warcit(job: Job, folder: Path) -> list[Path]:
    warcit = _tool("warcit")
    job.run(warcit, warcit.program("warcit"), "-o", "--name", "mirror.warc.gz", job.site.url("/"), str(folder))
    return [job.folder / "mirror.warc.gz"]


def _wget2(job: Job) -> list[Path]:
    tool = _tool("wget2")
    said = job.run(tool, tool.program("wget2"), "--warc-file=x", job.urls[0], check=False)
    if "nknown option" not in said:
        raise RuntimeError(f"--warc-file: {said[-200:]}")
    job.run(tool, tool.program("wget2"), "-q", "-x", "-nH", "-P", "mirror", "-i", job.listed(), check=False)
    return _mirror_by_warcit(job, job.folder / "mirror")


def _warcit(job: Job) -> list[Path]:
    if not (program := shutil.which("wget")):
        raise Unavailable("no wget on this machine")
    job.run(None, program, "-q", "-t1", "-T5", "-x", "-nH", "-P", "mirror", "-i", job.listed(), check=False)
    return _mirror_by_warcit(job, job.folder / "mirror")


def _httrack(job: Job) -> list[Path]:
    tool = _tool("httrack")
    job.run(
        tool,
        tool.program("httrack"),
        job.site.url("/"),
        "-O",
        "mirror",
        "-q",
        "-r2",
        "-c4",
        "-%c50",
        "-T5",
        "-R0",
        "-J1",
        "-E60",
        "--disable-security-limits",
    )
    host = f"{job.site.host}_{job.site.port}"
    return _mirror_by_warcit(job, job.folder / "mirror" / host)


def _har(job: Job) -> Path:
    from playwright.sync_api import Error

    from tests.chromium import started

    har = job.folder / "pages.har"
    with started() as chromium:
        context = chromium.new_context(record_har_path=str(har), record_har_content="embed")
        page = context.new_page()
        for url in job.urls:
            try:
                page.goto(url, wait_until="load")
            except Error:  # a download, or nothing to show: the HAR has it all the same
                continue
        context.close()
    return har


def _har2warc(job: Job) -> list[Path]:
    tool = _tool("har2warc")
    job.run(tool, tool.program("har2warc"), str(_har(job)), "har.warc.gz")
    return [job.folder / "har.warc.gz"]


def _har_direct(job: Job) -> list[Path]:
    return [_har(job)]


def _mhtml(job: Job) -> list[Path]:
    from tests.chromium import started

    files = []
    with started() as chromium:
        page = chromium.new_context().new_page()
        for number, url in enumerate(job.urls[:12]):
            page.goto(url, wait_until="load")
            session = page.context.new_cdp_session(page)
            files.append(job.folder / f"{number}.mhtml")
            files[-1].write_text(session.send("Page.captureSnapshot", {"format": "mhtml"})["data"], newline="")
    return files


def _single_file(job: Job) -> list[Path]:
    tool = _tool("single-file-cli")
    program, chromium = tool.program("single-file"), shutil.which("chromium") or ""
    for number, url in enumerate(job.urls[:6]):
        job.run(
            tool,
            program,
            url,
            f"{number}.html",
            f"--browser-executable-path={chromium}",
            '--browser-args=["--no-sandbox"]',
        )
    return sorted(job.folder.glob("*.html"))


def _crau(job: Job) -> list[Path]:
    tool = _tool("crau")
    job.run(tool, tool.program("crau"), "archive", "crau.warc.gz", f"--input-filename={job.listed()}")
    return [job.folder / "crau.warc.gz"]


def _by_proxy(job: Job, proxy: str) -> None:
    for url in job.urls:
        job.run(
            None,
            "curl",
            "-s",
            "-m",
            "10",
            "-o",
            "/dev/null",
            "--path-as-is",
            "--noproxy",
            "",
            "-x",
            proxy,
            url,
            check=False,
        )


_WARCPROX = """
from warcprox import main, warcproxy
warcproxy.WarcProxyHandler.allow_localhost = True  # no option does it
main.main()
"""


def _warcprox(job: Job) -> list[Path]:
    tool = _tool("warcprox")
    port = free_port()
    server = subprocess.Popen(
        [tool.program("python"), "-c", _WARCPROX, "-p", str(port), "-z", "-d", "warcs", "--dedup-db-file=dedup.db"],
        cwd=job.folder,
        env=tool.variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(port))
        _by_proxy(job, f"http://127.0.0.1:{port}")
        time.sleep(2)  # it writes behind its answers
    finally:
        server.terminate()
        server.wait(60)
    return sorted((job.folder / "warcs").glob("*.warc.gz"))


def _pywb(job: Job) -> list[Path]:
    tool = _tool("pywb-2.10")
    (job.folder / "config.yaml").write_text("collections:\n  live: $live\nrecorder: live\n")
    job.run(tool, tool.program("wb-manager"), "init", "web")
    port = free_port()
    server = subprocess.Popen(
        [
            tool.program("wayback"),
            "-p",
            str(port),
            "-b",
            "127.0.0.1",
            "--record",
            "--live",
            "-a",
            "--auto-interval",
            "5",
        ],
        cwd=job.folder,
        env=tool.variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(port))
        for url in job.urls:
            job.run(
                None,
                "curl",
                "-s",
                "-m",
                "10",
                "-o",
                "/dev/null",
                "--path-as-is",
                f"http://127.0.0.1:{port}/web/record/id_/{url}",
                check=False,
            )
    finally:
        server.terminate()
        server.wait(60)
    return sorted((job.folder / "collections/web/archive").glob("*.warc.gz"))


def _wpull(job: Job) -> list[Path]:
    tool = _tool("wpull")
    job.run(
        tool,
        tool.program("wpull"),
        "-q",
        "-i",
        job.listed(),
        "--warc-file",
        "wpull",
        "--tries",
        "1",
        "-O",
        "/dev/null",
        check=False,
    )
    return [job.folder / "wpull.warc.gz"]


def answers(port: int) -> bool:
    """Return whether something listens on a port of loopback."""
    import socket

    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port of loopback that was free just now."""
    import socket

    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


WAYS: dict[str, Callable[[Job], Sequence[Path]]] = {
    "wget": _wget,
    "wget2": _wget2,
    "warcit": _warcit,
    "httrack": _httrack,
    "har2warc": _har2warc,
    "har by Playwright, direct": _har_direct,
    "MHTML by Chromium": _mhtml,
    "single-file-cli": _single_file,
    "crau": _crau,
    "warcprox": _warcprox,
    "pywb record": _pywb,
    "wpull": _wpull,
}


def row(name: str, site: Site, ours: dict[str, Page], folder: Path) -> Row:
    """Let one writer capture the site, import what it wrote, and compare every page with ours."""
    folder.mkdir()
    job = Job(site, [site.url(path) for path in page_paths()], folder)
    began = time.time()
    environment = "pywb-2.10" if name == "pywb record" else name
    pins = ENVIRONMENTS[environment].pins if environment in ENVIRONMENTS else "of this machine"
    try:
        files = WAYS[name](job)
        onrecord = Command.at(folder / "store", folder / "home")
        if not files:
            raise RuntimeError("wrote no file")
        done = onrecord("import", *map(str, files))
        if done.code not in (0, 3):
            raise RuntimeError(f"import ends with {done.code}: {done.err.strip()[-200:]}")
        seen = compared(ours, pages_of(folder / "store"), time.time() - began + 600).line()
        if done.code:
            words = [line for line in done.err.splitlines() if line.strip()]
            seen += f"; import ends with {done.code}: {' / '.join(words[:3])[:300]}"
    except Unavailable as error:
        seen = f"skipped: {error}"
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        seen = str(error)
    return Row(name, pins, WRITERS[name], seen)
