"""The image and the stack around it: what can be known without an engine, and its steps in a plain folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest
import yaml

from app.cli.server import _GRACE_SECONDS, _KEEP_ALIVE_SECONDS
from app.http.edge import MAX_HEADER_BYTES, MAX_URI
from app.settings import Settings
from tests.commands import environment, serving, until

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
PUBLIC_NAME = re.compile(r"[a-z]+:[0-9]+(\.[0-9]+)*[a-z0-9.-]*")


class Instruction(NamedTuple):
    """One instruction of a Dockerfile: its word and the rest, on one line."""

    word: str
    rest: str


def instructions() -> list[Instruction]:
    text = (DOCKER / "Dockerfile").read_text()
    lines = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines).splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in joined if line.strip()]


def stages() -> list[list[Instruction]]:
    found: list[list[Instruction]] = []
    for instruction in instructions():
        if instruction.word == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def values(stage: list[Instruction], word: str) -> list[str]:
    return [instruction.rest for instruction in stage if instruction.word == word]


class TestDockerfile:
    def test_every_stage_begins_with_a_pinned_official_image(self) -> None:
        images = [stage[0].rest.split()[0] for stage in stages()]
        assert len(images) == 3
        assert [image for image in images if not PUBLIC_NAME.fullmatch(image)] == []

    def test_the_python_is_one_that_the_project_supports(self) -> None:
        least = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
        versions = {image for stage in stages() for image in re.findall(r"^python:([0-9.]+)", stage[0].rest)}
        assert versions == {least.removeprefix(">=")}

    def test_nothing_is_fetched_but_by_the_two_package_installers(self) -> None:
        assert {i.word for i in instructions()} <= set(
            "FROM WORKDIR COPY RUN ENV LABEL USER EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD".split()
        )
        text = " ".join(f"{i.word} {i.rest}" for i in instructions())
        assert not re.search(r"https?://|\bcurl\b|\bwget\b|\bapt\b|apt-get|--index|--extra-index|ghcr|quay\.io", text)

    def test_every_package_is_held_against_its_hash(self) -> None:
        installs = [i.rest for i in instructions() if "pip install" in i.rest]
        assert len(installs) == 2
        assert [line for line in installs if "--require-hashes" not in line and "--no-index" not in line] == []
        assert [line for stage in stages() for line in values(stage, "RUN") if "npm" in line] == [
            "npm ci",
            "npm run build",
        ]

    def test_what_a_lock_installs_is_all_that_is_installed(self) -> None:
        """A release of tomorrow changes nothing: pip looks for nothing beside a whole lock."""
        lines = [line for name in ("Makefile", "docker/Dockerfile") for line in (ROOT / name).read_text().splitlines()]
        locked = [line for line in lines if ("pip install" in line and ".lock" in line) or "--require-hashes" in line]
        assert len(locked) == 5
        assert [line for line in locked if "--require-hashes --no-deps -r" not in line] == []

    def test_no_mongod_is_in_the_image(self) -> None:
        text = "\n".join(i.rest for i in instructions()) + (DOCKER / "requirements.lock").read_text()
        assert not re.search(r"mongod\b|fiftyone|\[embedded\]", text)

    def test_the_last_stage_runs_as_a_numbered_user_without_rights(self) -> None:
        last = stages()[-1]
        (user,) = values(last, "USER")
        assert re.fullmatch(r"[1-9][0-9]{4,}:[1-9][0-9]{4,}", user)
        words = [i.word for i in last]
        assert words.index("USER") > max(n for n, word in enumerate(words) if word in {"RUN", "COPY"})

    def test_the_last_stage_takes_only_the_installed_gateway(self) -> None:
        assert values(stages()[-1], "COPY") == ["--from=packages /opt/gateway/ /opt/gateway/"]

    def test_it_says_how_it_is_started_watched_and_stopped(self) -> None:
        last = stages()[-1]
        assert json.loads(values(last, "ENTRYPOINT")[0]) == ["gateway"]
        assert json.loads(values(last, "CMD")[0]) == ["serve", "--host", "0.0.0.0"]
        assert values(last, "EXPOSE") == ["8000"]
        assert values(last, "STOPSIGNAL") == ["SIGTERM"]
        assert "/health/ready" in values(last, "HEALTHCHECK")[0]

    def test_its_labels_are_the_project_s_own(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        labels = dict(word.split("=", 1) for word in shlex.split(values(stages()[-1], "LABEL")[0]))
        assert labels["org.opencontainers.image.version"] == project["version"]
        assert labels["org.opencontainers.image.licenses"] == project["license"]

    def test_everything_it_copies_is_in_the_tree_and_reaches_the_builder(self) -> None:
        allowed = re.findall(r"(?m)^!(\S+?)/?$", (DOCKER / "Dockerfile.dockerignore").read_text())
        sources = [
            source.rstrip("/")
            for stage in stages()
            for line in values(stage, "COPY")
            if not line.startswith("--from")
            for source in line.split()[:-1]
        ]
        assert [source for source in sources if not (ROOT / source).exists()] == []
        assert [s for s in sources if not any(s == one or s.startswith(f"{one}/") for one in allowed)] == []


def health_check() -> list[str]:
    line = values(stages()[-1], "HEALTHCHECK")[0]
    words: list[str] = json.loads(line.partition("CMD ")[2])
    return words


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    """The stack, as its file says."""
    parsed: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return parsed


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


class TestStack:
    def test_it_has_a_proxy_two_gateways_a_store_and_a_cache(self, stack: dict[str, Any]) -> None:
        services = stack["services"]
        assert set(services) == {"proxy", "gateway", "mongodb", "redis"}
        assert services["gateway"]["deploy"]["replicas"] == 2
        assert services["mongodb"]["image"].startswith("mongo:8")

    def test_only_the_proxy_is_published_and_only_on_this_machine(self, stack: dict[str, Any]) -> None:
        published = {name: s["ports"] for name, s in stack["services"].items() if "ports" in s}
        assert published == {"proxy": ["${GATEWAY_PUBLISH:-127.0.0.1:8080}:8080"]}
        assert "network_mode" not in str(stack)

    def test_the_store_is_on_a_network_without_a_way_out(self, stack: dict[str, Any]) -> None:
        services = stack["services"]
        assert stack["networks"]["store"]["internal"] is True
        assert services["mongodb"]["networks"] == services["redis"]["networks"] == ["store"]
        assert list(services["proxy"]["networks"]) == ["edge"]

    def test_no_service_may_do_more_than_it_must(self, stack: dict[str, Any]) -> None:
        for name, service in stack["services"].items():
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert "cap_add" not in service, name
            assert "privileged" not in service, name
            assert service["security_opt"] == ["no-new-privileges:true"], name
            assert name == "gateway" or re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), name

    def test_every_service_has_limits_and_comes_back(self, stack: dict[str, Any]) -> None:
        for name, service in stack["services"].items():
            assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
            assert service["restart"] == "unless-stopped", name
            assert seconds(service["stop_grace_period"]) > _GRACE_SECONDS, name

    def test_every_service_is_watched_and_waited_for(self, stack: dict[str, Any]) -> None:
        services = stack["services"]
        assert all("test" in s["healthcheck"] for name, s in services.items() if name != "gateway")
        assert services["gateway"]["depends_on"] == {
            "mongodb": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
        }
        assert services["proxy"]["depends_on"] == {"gateway": {"condition": "service_healthy"}}

    def test_only_the_proxy_s_own_address_is_trusted(self, stack: dict[str, Any]) -> None:
        address = stack["services"]["proxy"]["networks"]["edge"]["ipv4_address"]
        assert stack["services"]["gateway"]["environment"]["GATEWAY_TRUSTED_PROXIES"] == address

    def test_what_it_sets_are_settings(self, stack: dict[str, Any]) -> None:
        known = {f"GATEWAY_{name.upper()}" for name in Settings.model_fields}
        assert set(stack["services"]["gateway"]["environment"]) <= known

    def test_secrets_come_from_the_environment_and_the_example_has_none(self) -> None:
        text = (DOCKER / "compose.yaml").read_text() + (DOCKER / "compose.tls.yaml").read_text()
        example = dict(re.findall(r"(?m)^#?([A-Z_]+)=(.*)$", (DOCKER / "example.env").read_text()))
        assert set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text)) == set(example)
        assert {value for name, value in example.items() if "PASSWORD" in name} == {""}
        required = set(re.findall(r"\$\{([A-Z_]+):\?", text))
        assert required == {name for name in example if "PASSWORD" in name} | {"GATEWAY_TLS_DIR"}

    def test_every_file_it_mounts_is_there(self, stack: dict[str, Any]) -> None:
        tls = yaml.safe_load((DOCKER / "compose.tls.yaml").read_text())
        mounts = [m for s in (*stack["services"].values(), *tls["services"].values()) for m in s.get("volumes", [])]
        files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
        assert len(files) == 5
        assert [name for name in files if not (DOCKER / name).is_file()] == []
        assert all(mount.endswith(":ro") for mount in mounts if not mount.startswith("mongodb:"))

    def test_compose_itself_takes_it(self) -> None:
        docker = shutil.which("docker")
        version = [str(docker), "compose", "version"]
        if docker is None or subprocess.run(version, capture_output=True, check=False).returncode:
            pytest.skip("no docker client with compose here")
        words = ["docker", "compose", "--file", str(DOCKER / "compose.yaml"), "config", "--quiet"]
        secrets = dict.fromkeys(("MONGODB_ROOT_PASSWORD", "MONGODB_GATEWAY_PASSWORD", "REDIS_PASSWORD"), "x")
        subprocess.run(words, env={**os.environ, **secrets}, check=True, timeout=30)


def directives(name: str) -> dict[str, str]:
    """The directives of an nginx file that stand once; blocks by their head."""
    text = re.sub(r"#.*", "", (DOCKER / name).read_text())
    return {found[1]: found[2].strip() for found in re.finditer(r"([a-z_]+)\s+([^;{}]+)[;{]", text)}


def size(text: str) -> int:
    return int(text[:-1]) * {"k": 1024, "m": 1024**2}[text[-1]]


class TestProxy:
    def test_slow_clients_lose_their_connection(self) -> None:
        found = directives("nginx.conf")
        for name in ("client_header_timeout", "client_body_timeout", "send_timeout", "keepalive_timeout"):
            assert 0 < seconds(found[name]) <= 15, name
        assert found["keepalive_requests"] == "1000"
        assert "limit_conn" in found

    def test_it_lets_through_whatever_the_gateway_itself_refuses_with_a_problem(self) -> None:
        found = directives("nginx.conf")
        count, each = found["large_client_header_buffers"].split()
        assert size(each) > MAX_URI
        assert MAX_HEADER_BYTES < int(count) * size(each) <= 64 * 1024
        most = Settings(_env_file=None).max_body
        assert most < size(found["client_max_body_size"]) <= 4 * most

    def test_it_never_uses_a_connection_that_the_gateway_is_closing(self) -> None:
        upstream = (DOCKER / "nginx.conf").read_text().partition("upstream gateway {")[2].partition("}")[0]
        (found,) = re.findall(r"keepalive_timeout (\d+)s", upstream)
        assert int(found) < _KEEP_ALIVE_SECONDS

    def test_forwarded_headers_are_set_and_never_added_to(self) -> None:
        text = (DOCKER / "locations.conf").read_text()
        wanted = {
            "Host": "$http_host",
            "X-Forwarded-For": "$remote_addr",
            "X-Forwarded-Proto": "$scheme",
            "X-Forwarded-Host": "$http_host",
            "Forwarded": '""',
        }
        for name, value in wanted.items():
            assert re.findall(rf"proxy_set_header {name}\s+(\S+);", text) == [value, value], name

    def test_it_knows_the_addresses_that_stream(self) -> None:
        text = (DOCKER / "locations.conf").read_text()
        streams = dict(re.findall(r"location = (\S+) \{([^}]+)\}", text))
        assert "Upgrade" in streams["/graphql"]
        assert "proxy_buffering    off" in streams["/api/v1/customer-events"]
        assert "proxy_request_buffering off" in streams["/api/v1/customers:import"]
        assert "return 404" in streams["/metrics"]

    def test_tls_is_of_this_age(self) -> None:
        assert directives("tls.conf")["ssl_protocols"] == "TLSv1.2 TLSv1.3"

    def test_nginx_takes_it_and_stands_before_a_gateway(self, tmp_path: Path, mongod_url: str, database: str) -> None:
        nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        assert nginx is not None, "nginx is not installed (Debian: apt-get install nginx)"
        forged = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "9.9.9.9"}
        store: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": database}
        with (
            serving(tmp_path, trusted_proxies="127.0.0.1", **store) as server,
            proxied(nginx, tmp_path, httpx2.URL(server.url).port or 0) as url,
            httpx2.Client(base_url=url, timeout=10) as client,
        ):
            problem = client.get("/api/v1/customers", headers=forged)
            assert problem.status_code == 401
            assert problem.json()["type"].startswith(f"{url}/problems/")
            assert "Strict-Transport-Security" not in problem.headers
            assert client.get(f"/?q={'a' * 3000}").json()["status"] == 414
            assert client.post("/graphql", content=b" " * 3 * 1024**2).status_code == 413
            assert client.get("/metrics").status_code == 404

    def test_a_head_that_does_not_come_ends_at_the_proxy(self, tmp_path: Path, mongod_url: str, database: str) -> None:
        nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        assert nginx is not None, "nginx is not installed (Debian: apt-get install nginx)"
        store: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": database}
        hurry = {"client_header_timeout     10s": "client_header_timeout 1s"}
        with (
            serving(tmp_path, trusted_proxies="127.0.0.1", **store) as server,
            proxied(nginx, tmp_path, httpx2.URL(server.url).port or 0, hurry) as url,
            socket.create_connection(("127.0.0.1", httpx2.URL(url).port or 0), timeout=10) as slow,
        ):
            slow.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            with suppress(ConnectionResetError):  # as reset_timedout_connection has it
                assert slow.recv(100) in {b"", b"HTTP/1.1 408 "}
            assert [line for line in server.log() if line["message"].endswith(" 408")] == []


@contextmanager
def proxied(nginx: str, folder: Path, gateway_port: int, more: Mapping[str, str] | None = None) -> Iterator[str]:
    """Our proxy's own files in a folder, changed in what only a container has: addresses, paths and its user."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    changes = {
        "listen 8080": f"listen 127.0.0.1:{port}",
        "gateway:8000 resolve": f"127.0.0.1:{gateway_port}",  # needs nginx 1.27.3, as the image has
        "resolver 127.0.0.11 valid=5s ipv6=off;": "",
        " /tmp/": f" {folder}/",
        "/etc/nginx": str(folder),
        "/dev/stderr": f"{folder}/nginx.log",
        **(more or {}),
    }
    for name in ("nginx.conf", "locations.conf"):
        text = (DOCKER / name).read_text()
        for old, new in changes.items():
            text = text.replace(old, new)
        (folder / name).write_text(text)
    user = "user root; " if os.geteuid() == 0 else ""
    words = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", f"{user}daemon off;"]
    checked = subprocess.run([*words, "-t"], capture_output=True, text=True, timeout=20, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/health/live"), 10, "the proxy's start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5).status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the RUN lines of the stage `packages` were run, with pages built before."""
    assert (ROOT / "app/playground/dist/home.html").is_file(), "the pages are not built: run `make setup`"
    folder = tmp_path_factory.mktemp("image")
    copy_context(folder)
    clean = {name: value for name, value in environment(folder).items() if not name.startswith("PYTHON")}
    venv.create(folder / "gateway", with_pip=True)
    for line in values(stages()[1], "RUN"):
        for command in line.split(" && "):
            run_as_in_the_image(command, folder, {**clean, "PIP_ONLY_BINARY": ":all:"})
    return folder


def copy_context(folder: Path) -> None:
    """Copy what git tracks and would track, and the built pages, as the builder gets it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    copied = [line.split()[:-1] for line in values(stages()[1], "COPY") if not line.startswith("--from")]
    wanted = tuple(source for sources in copied for source in sources)
    for name in listed.stdout.split("\0"):
        if name and (name in wanted or name.startswith(wanted)) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    shutil.copytree(ROOT / "app/playground/dist", folder / "app/playground/dist")


def run_as_in_the_image(command: str, folder: Path, env: dict[str, str]) -> None:
    """Run one command of the Dockerfile with /opt in the folder; the environment is made already."""
    if command.startswith("python -m venv"):
        return
    words = [word.replace("/opt/", f"{folder}/") for word in shlex.split(command)]
    globbed = [match for word in words for match in (sorted(map(str, folder.glob(word))) if "*" in word else [word])]
    done = subprocess.run(globbed, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


class TestImageSteps:
    def test_the_wheel_holds_the_pages_and_the_schema_and_no_workshop(self, installed: Path) -> None:
        (wheel,) = (installed / "wheels").glob("*.whl")
        names = set(zipfile.ZipFile(wheel).namelist())
        assert {"app/playground/dist/home.html", "app/playground/dist/graphql.html"} <= names
        assert [name for name in names if name.startswith("app/playground/dist/assets/")]
        assert "storage/customer.schema.json" in names
        assert [n for n in names if "node_modules" in n or n.startswith(("tests/", "docs/")) or ".env" in n] == []

    def test_only_the_gateway_and_what_it_needs_is_installed(self, installed: Path) -> None:
        folders = installed.glob("gateway/lib/*/site-packages/*.dist-info")
        listed = {path.name.split("-")[0].lower().replace("_", "-") for path in folders}
        locked = set(re.findall(r"(?m)^([a-z0-9-]+)==", (DOCKER / "requirements.lock").read_text()))
        built_with = {"hatchling", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}
        assert listed - {"customer-gateway"} <= locked - built_with
        assert "customer-gateway" in listed
        assert not list(installed.glob("gateway/lib/*/site-packages/*/bin/mongod"))

    def test_the_installed_command_prints_its_documents(self, installed: Path, tmp_path: Path) -> None:
        def printed(word: str) -> str:
            command = [str(installed / "gateway/bin/gateway"), word]
            return subprocess.run(
                command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=30, check=True
            ).stdout

        assert printed("version").startswith("customer-gateway ")
        assert json.loads(printed("openapi"))["openapi"].startswith("3.")

    def test_without_a_store_it_says_in_a_sentence_what_to_do(self, installed: Path, tmp_path: Path) -> None:
        command = [str(installed / "gateway/bin/gateway"), "serve", "--port", "0"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 1
        assert "GATEWAY_MONGODB_URL" in done.stderr
        assert "[embedded]" in done.stderr
        assert "Traceback" not in done.stderr

    def test_it_serves_passes_its_health_check_and_stops_when_told(
        self, installed: Path, tmp_path: Path, mongod_url: str, database: str
    ) -> None:
        command = (str(installed / "gateway/bin/gateway"),)
        store: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": database}
        with serving(tmp_path, command=command, **store) as server:
            home = httpx2.get(f"{server.url}/")
            assert home.status_code == 200
            assert "Customer Gateway" in home.text
            port = httpx2.URL(server.url).port
            python, *words = health_check()
            assert python == "python"
            for at, code in ((port, 0), (1, 1)):
                env = {**os.environ, "GATEWAY_PORT": str(at)}
                checked = subprocess.run(
                    [sys.executable, *words], env=env, capture_output=True, timeout=10, check=False
                )
                assert checked.returncode == code
            assert server.stop() == 0
