"""`fastaudio listen --mqtt` and `--rules`: a real broker gets what is heard, described as sensors."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fastaudio import cli
from fastaudio.cli.reporting import Reporter
from fastaudio.mqtt.broker import broker_of
from helpers import GUITAR, decode
from mosquitto import Listener, Mosquitto, eventually, require_mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATE = 44_100
RULES = """
[[rule]]
name = "music"
label = "guitar"
threshold = 0.2
command = [{program}, "-c", "import sys; open(sys.argv[1], 'w').write(sys.argv[2])", {path}, "{{label}}"]
"""


@pytest.fixture
def listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `fastaudio listen -` over seven seconds of guitar; returns exit status, stdout and stderr."""
    samples, _ = decode(GUITAR)
    pcm = np.round(samples[: 7 * RATE].mean(axis=1) * 32767).astype("<i2")
    (tmp_path / "stdin").write_bytes(pcm.tobytes())

    def run(*options: object) -> tuple[int, str, str]:
        with (tmp_path / "stdin").open(encoding="latin-1") as file, monkeypatch.context() as patch:
            patch.setattr("sys.stdin", file)
            status = cli.main(["listen", "-", "--rate", str(RATE), *map(str, options)])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    require_mosquitto()
    server = Mosquitto(tmp_path).start()
    yield server
    server.end()


def test_tags_are_the_state_of_a_sensor(listen: Any, server: Mosquitto) -> None:
    address = f"127.0.0.1:{server.port}"
    status, out, err = listen("--mqtt", address, "--mqtt-name", "My Garden", "--jsonl")
    assert (status, err) == (0, "")
    after = Listener(server.port)  # all of it was retained
    base = "fastaudio/my_garden"
    eventually(lambda: f"{base}/musicnn_mtt" in after.last)
    state = json.loads(after.last[f"{base}/musicnn_mtt"])
    starts = [json.loads(line)["time"] for line in out.splitlines()]
    assert state["time"] in starts
    assert state["label"] in {tag["label"] for line in out.splitlines() for tag in json.loads(line)["tags"]}
    level = json.loads(after.last[f"{base}/level"])
    assert -120 <= level["level_db"] <= 0
    assert after.last[f"{base}/status"] == "offline"
    description = json.loads(after.last["homeassistant/sensor/my_garden/musicnn_mtt_sound/config"])
    assert description["state_topic"] == f"{base}/musicnn_mtt"
    assert description["availability_topic"] == f"{base}/status"
    assert description["device"]["name"] == "My Garden"
    assert description["expire_after"] >= 60
    after.close()


def test_events_switch_sensors_and_come_once(listen: Any, server: Mosquitto) -> None:
    during = Listener(server.port)
    status, out, _ = listen(
        *("--mqtt", f"127.0.0.1:{server.port}", "--mqtt-name", "g", "--onset", 0.3, "--jsonl")
    )
    assert status == 0
    events = [json.loads(line) for line in out.splitlines()]
    assert events
    eventually(lambda: during.last.get("fastaudio/g/status") == "offline")
    told = [json.loads(text) for topic, text, _ in during.got if topic == "fastaudio/g/event"]
    assert sorted(each["id"] for each in told if each["state"] == "end") == sorted(e["id"] for e in events)
    for label in {event["label"] for event in events}:
        topic = f"fastaudio/g/musicnn_mtt/{label.replace(' ', '_')}"
        states = [text for at, text, _ in during.got if at == topic]
        assert states[0] == states[-1] == "OFF"
        assert "ON" in states
        assert json.loads(during.last[f"{topic}/last"])["label"] == label
        key = f"musicnn_mtt__{label.replace(' ', '_')}"
        described = json.loads(during.last[f"homeassistant/binary_sensor/g/{key}/config"])
        assert described["state_topic"] == topic
    during.close()


def test_labels_without_a_sensor_are_told_and_leave_nothing_on(
    listen: Any, server: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastaudio.cli.reporting._MOST_SENSORS", 1)
    topic = "fastaudio/g/musicnn_mtt/opera"
    before = Listener(server.port)
    before.client.publish(topic, "ON", qos=1, retain=True)  # as it stands there after a power cut
    eventually(lambda: before.last.get(topic) == "ON")
    options = ("--mqtt", f"127.0.0.1:{server.port}", "--mqtt-name", "g", "--onset", 0.2, "--jsonl")
    status, out, err = listen(*options)
    assert status == 0
    assert len({json.loads(line)["label"] for line in out.splitlines()}) > 1
    assert "mqtt: 1 labels have sensors, and others get none; their events are at fastaudio/g/event" in err
    eventually(lambda: before.last.get(topic) == "OFF")
    before.close()


def test_discovery_can_be_turned_off(listen: Any, server: Mosquitto) -> None:
    assert listen("--mqtt", f"127.0.0.1:{server.port}", "--mqtt-discovery", "off", "--mqtt-name", "g")[0] == 0
    after = Listener(server.port)
    eventually(lambda: "fastaudio/g/status" in after.last)
    assert not any(topic.startswith("homeassistant") for topic in after.last)
    after.close()


def test_without_a_broker_it_listens_all_the_same_and_says_so(listen: Any) -> None:
    require_mosquitto()
    status, out, err = listen("--mqtt", "127.0.0.1:9", "--jsonl")
    assert status == 0
    assert len(out.splitlines()) == 2
    assert "fastaudio: mqtt: 127.0.0.1:9: expected a broker, got: " in err


def test_a_rule_runs_its_program_and_is_said(listen: Any, tmp_path: Path) -> None:
    path, rules = tmp_path / "heard", tmp_path / "rules.toml"
    text = RULES.format(program=json.dumps(sys.executable), path=json.dumps(str(path)))
    rules.write_text(text, encoding="utf-8")
    status, out, err = listen("--rules", rules, "--onset", 0.3, "--jsonl")
    assert status == 0
    assert out
    assert path.read_text(encoding="utf-8") == "guitar"
    assert err.startswith("alert: music: guitar 0.")
    assert err.count("\n") == 1  # once in a minute


def test_a_rule_publishes_to_its_topic(listen: Any, server: Mosquitto, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nlabel = "guitar"\nthreshold = 0.2\ntopic = "home/alert"', encoding="utf-8")
    during = Listener(server.port, "home/#")
    assert listen("--rules", rules, "--mqtt", f"127.0.0.1:{server.port}")[0] == 0
    eventually(lambda: "home/alert" in during.last)
    assert json.loads(during.last["home/alert"])["label"] == "guitar"
    during.close()


def test_rules_are_checked_without_listening(listen: Any, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    text = '[[rule]]\nlabel = "guitar"\ncommand = ["{}"]\n'
    rules.write_text(text.format(sys.executable), encoding="utf-8")
    status, out, err = listen("--rules", rules, "--check-rules")
    assert (status, err) == (0, "")
    assert out == f"rule 1: guitar from 0.5, at most every 60 s: runs {sys.executable}\n"
    rules.write_text(text.format("/no/such/program"), encoding="utf-8")
    status, out, _ = listen("--rules", rules, "--check-rules")
    assert status == 1
    assert out.endswith("(no program /no/such/program is found)\n")


def test_rules_are_checked_without_their_broker_and_behind_a_byte_order_mark(
    listen: Any, tmp_path: Path
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[[rule]]\nlabel = "guitar"\ntopic = "home/alert"', encoding="utf-8-sig")
    status, out, _ = listen("--rules", path, "--check-rules")
    told = "rule 1: guitar from 0.5, at most every 60 s: publishes to home/alert"
    assert (status, out) == (0, f"{told}  (a run needs --mqtt for that)\n")


def test_models_whose_names_run_into_labels_have_sensors_of_their_own() -> None:
    class Named:
        events = True

        def __init__(self, name: str, *labels: str) -> None:
            self.name, self.labels = name, labels

    ears: Any = [Named("bird", "song sparrow"), Named("bird-song", "sparrow")]
    args: Any = SimpleNamespace(mqtt_name="porch", mqtt_discovery="homeassistant")
    reporter = Reporter(args, broker_of("mqtt://127.0.0.1:9", password_file=None, ca=None), ears, "mic")
    reporter.begin(SimpleNamespace())  # type: ignore[arg-type]
    states = reporter.publisher._states
    told = [json.loads(text) for topic, text in states.items() if "/binary_sensor/" in topic]
    reporter.close()
    assert len({one["unique_id"] for one in told}) == len(told) == 2


def test_a_rule_above_the_onset_is_told_to_come_late(listen: Any, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[[rule]]\nlabel = "guitar"\nthreshold = 0.8\ncommand = ["true"]', encoding="utf-8")
    said = "rule 'rule 1': its threshold of 0.8 is above 0.3, at which events of 'guitar' begin"
    assert said in listen("--rules", path, "--onset", 0.3, "--check-rules")[2]
    path.write_text('[[rule]]\nlabel = "guitar"\nthreshold = 0.3\ncommand = ["true"]', encoding="utf-8")
    assert "threshold" not in listen("--rules", path, "--onset", 0.3, "--check-rules")[2]


@pytest.mark.parametrize(
    ("rule", "options", "message"),
    [
        ('label = "guitarx"\ntopic = "a"', ["--mqtt", "home"], "got 'guitarx'; did you mean 'guitar'?"),
        ('label = "guitar"\ntopic = "a"', [], "expected --mqtt for the topic of rule 'rule 1', got none"),
        ("label = 1\ntopic = 'a'", ["--mqtt", "home"], "expected label as text"),
    ],
)
def test_rules_that_cannot_be_met_are_refused_before_it_listens(
    rule: str, options: list[str], message: str, listen: Any, tmp_path: Path
) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(f"[[rule]]\n{rule}\n", encoding="utf-8")
    status, out, err = listen("--rules", path, *options)
    assert (status, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--check-rules"], "expected --rules with --check-rules, got none; name the file"),
        (["--mqtt-name", "x"], "expected --mqtt with --mqtt-name, got none; name the broker"),
        (["--mqtt", "mqtt://a:b@home"], "expected no password in the address"),
        (["--mqtt", "127.0.0.1:9", "--mqtt-discovery", "a/#"], "--mqtt-discovery: expected a topic such as"),
    ],
)
def test_options_that_lack_another_are_refused(options: list[str], message: str, listen: Any) -> None:
    status, out, err = listen(*options)
    assert (status, out) == (2, "")
    assert message in err
