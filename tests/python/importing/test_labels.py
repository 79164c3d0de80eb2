"""Labels are read in the forms in which models come with them, and never in a wrong order."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from fastaudio._system.text import printable
from fastaudio.importing import read_labels
from fastaudio.importing.labels import checked, labels_of_metadata
from fastaudio.importing.metadata import read_essentia
from helpers import SHARED

if TYPE_CHECKING:
    from pathlib import Path

AUDIOSET = (
    'index,mid,display_name\n0,/m/09x0r,"Speech"\n1,/m/05zppz,"Male speech, man speaking"\n2,/m/068hy,Pets\n'
)
WANT = ["Speech", "Male speech, man speaking", "Pets"]

TABLES = {
    "AudioSet": AUDIOSET,
    "CRLF": AUDIOSET.replace("\n", "\r\n"),
    "CR": AUDIOSET.replace("\n", "\r"),
    "no line end": AUDIOSET.rstrip(),
    "empty lines": AUDIOSET + "\n\n",
    "no quotes": AUDIOSET.replace('"', ""),
    "shuffled": 'display_name,index\nPets,2\nSpeech,0\n"Male speech, man speaking",1\n',
    "semicolons": "index;name\n0;Speech\n1;Male speech, man speaking\n2;Pets\n",
    "tabs": "index\tlabel\n0\tSpeech\n1\tMale speech, man speaking\n2\tPets\n",
    "ESC-50": "filename,fold,target,category,esc10\n"
    'a.wav,1,0,Speech,True\nb.wav,1,2,Pets,False\nc.wav,2,1,"Male speech, man speaking",True\n'
    "d.wav,3,0,Speech,True\n",
    "FSD50K": '0,Speech,/m/09x0r\n1,"Male speech, man speaking",/m/05zppz\n2,Pets,/m/068hy\n',
    "class and name": 'class,name\n2,Pets\n0,Speech\n1,"Male speech, man speaking"\n',
    "another header": 'number,name\n2,Pets\n0,Speech\n1,"Male speech, man speaking"\n',
    "no header of the numbers": ',label\n2,Pets\n0,Speech\n1,"Male speech, man speaking"\n',
    "as floats": 'n,display_name\n2.0,Pets\n0.0,Speech\n1.0,"Male speech, man speaking"\n',
    "ids beside": 'id,n,label\n/m/1,2,Pets\n/m/0,0,Speech\n/m/3,1,"Male speech, man speaking"\n',
    "numbers as label": 'label,name\n2,Pets\n0,Speech\n1,"Male speech, man speaking"\n',
    "a group beside": 'fold,label\n1,Speech\n1,"Male speech, man speaking"\n2,Pets\n',
    "commas at the end": 'index,name,,\n0,Speech,,\n1,"Male speech, man speaking"\n2,Pets,,\n',
    "no header and no quotes": "Speech\nMale speech, man speaking\nPets\n",
    "an empty line first": "\n;;\nindex;name\n0;Speech\n1;Male speech, man speaking\n2;Pets\n",
    "names only": 'Label\nSpeech\n"Male speech, man speaking"\nPets\n',
}


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_read(tmp_path: Path, name: str) -> None:
    assert read_labels(write(tmp_path / "labels.csv", TABLES[name])) == WANT


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("name", ["labels.txt", "labels.csv"])
def test_encodings_are_told_apart(tmp_path: Path, encoding: str, name: str) -> None:
    text = "label\n" * name.endswith("csv") + "Café\nMönch\n"
    assert read_labels(write(tmp_path / name, text.encode(encoding))) == ["Café", "Mönch"]


@pytest.mark.parametrize(
    "data",
    [
        {"id2label": {"0": "a", "2": "c", "1": "b"}, "label2id": {"x": 0}},
        {"label2id": {"c": 2, "a": 0, "b": 1}},
        {"2": "c", "1": "b", "0": "a"},
        ["a", "b", "c"],
        {"classes": ["a", "b", "c"]},
        {"labels": {"0": "a", "1": "b", "2": "c"}},
    ],
)
def test_json_is_read(tmp_path: Path, data: Any) -> None:
    assert read_labels(write(tmp_path / "config.json", json.dumps(data))) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": '["a", "b", "c"]'},
        {"names": "{0: 'a', 1: 'b', 2: 'c'}"},
        {"Classes": "a, b, c"},
        {"class_names": "a\nb\nc\n"},
        {"id2label": '{"0": "a", "1": "b", "2": "c"}'},
        {"labels": "('a', 'b', 'c')"},
        {"labels": '["a",\n "b",\n "c"]\n'},
    ],
)
def test_an_onnx_files_metadata_is_read(metadata: dict[str, str]) -> None:
    assert labels_of_metadata({"producer": "x"} | metadata, "net.onnx") == ["a", "b", "c"]
    assert labels_of_metadata({"producer": "x"}, "net.onnx") is None


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.csv", "", "expected a table of labels, got an empty file"),
        ("l.csv", "index,display_name\n", "expected at least one label, got none"),
        ("l.csv", "index,display_name\n1,a\n2,b\n", "expected numbers from 0 to 1, got 1 to 2 without 0"),
        ("l.csv", "index,display_name\n0,a\n0,b\n", "expected one label for 0, got 'a' and 'b'"),
        ("l.csv", "index,display_name\n0,a\n1,a\n", "expected different labels, got 'a' for scores 0 and 1"),
        ("l.csv", "index,display_name\n0,\n", "expected a name for each score, got none for score 0"),
        ("l.csv", "index,display_name\nx,a\n", "expected a whole number for 'a', got 'x'"),
        ("l.csv", "index,display_name\n-1,a\n", "expected a whole number for 'a', got '-1'"),
        ("l.csv", "index,display_name\n0\n", "expected 2 cells or more in each row, got 0"),
        (
            "l.csv",
            "n,label\n2,b\n1,a\n",
            "expected numbers from 0 to 1, got 1 to 2 without 0 in the column 'n'",
        ),
        ("l.csv", "index,class_id,name\n0,1,b\n1,0,a\n", "expected one column of numbers, got 'index' and "),
        (
            "l.csv",
            "n,label,rank\n0,b,1\n1,a,0\n",
            "expected one column of numbers, got 'n' and 'rank', which",
        ),
        ("l.csv", "label,text\n1,b\n0,a\n", "expected names in the column 'label', got numbers or ids, and"),
        (
            "l.csv",
            "id,label\n/m/0,a\n/m/1,b\n",
            "expected a whole number for 'a', got '/m/0' in the column 'id'",
        ),
        ("l.csv", "a,b\nc,d\n", "expected a column named display_name, "),
        (
            "l.csv",
            'index,display_name\n0,"' + "x" * 200_000,
            "expected quotes that open and close around a cell",
        ),
        (
            "l.csv",
            "name,group\na,x\nb, c,x\n",
            "expected 2 cells in each row, got 'b,c,x'; put names with ','",
        ),
        (
            "l.csv",
            "index;name\n0;a\n1;b; c\n",
            "expected 2 cells in each row, got '1;b;c'; put names with ';'",
        ),
        ("l.txt", "a\n\nb\n", "expected a label on each line, got none on line 2"),
        ("l.txt", b"a\0b", "expected a text, got bytes that are none"),
        ("l.txt", "", "expected a label on each line, got none on line 1"),
        ("l.json", "{", "expected JSON, got: "),
        ("l.json", "[" * 100_000, "expected JSON, got: "),
        ("l.json", '["a", "\\ud800"]', r"expected labels of characters that can be shown, got '\ud800' for"),
        ("l.json", "3", "expected a list of labels, got int"),
        ("l.json", '{"model_type": "ced"}', "expected one of the keys id2label, "),
        ("l.json", '{"id2label": {"0": {"a": 1}}}', "expected each label as a text, got {'a': 1}"),
        (
            "l.json",
            '{"id2label": {"0": "a", "5": "b"}}',
            "expected numbers from 0 to 1, got 0 to 5 without 1",
        ),
        ("l.json", '{"id2label": {"LABEL_0": "a"}}', "expected a whole number for 'a', got 'LABEL_0'"),
    ],
)
def test_what_says_no_order_is_refused(tmp_path: Path, name: str, text: str | bytes, message: str) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(fa.ModelError) as told:
        read_labels(path)
    assert str(told.value).startswith(f"{path}: {message}"), told.value
    assert len(str(told.value)) < 600


def test_large_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(fa.ModelError, match=r"expected a text of at most 8 MiB, got a larger file"):
        read_labels(write(tmp_path / "l.txt", b"a\n" * (5 << 20)))
    with pytest.raises(fa.ModelError, match=r"expected JSON of at most \d+ values, got more; keep"):
        read_labels(write(tmp_path / "l.json", json.dumps([0] * 600_000)))
    with pytest.raises(fa.ModelError, match=r"expected a file that can be read, got: "):
        read_labels(tmp_path / "none.txt")
    with pytest.raises(fa.ModelError, match=r"expected a file that can be read, got: "):
        read_labels(tmp_path)


def test_yamnets_class_map_is_read() -> None:
    path = SHARED / "models" / "yamnet" / "class_map.csv"
    if not path.is_file():
        pytest.skip("the folder of models from elsewhere, ../shared/models, isn't there")
    labels = read_labels(path)
    assert (len(labels), labels[0], labels[494]) == (521, "Speech", "Silence")


def test_digits_may_be_labels(tmp_path: Path) -> None:
    assert read_labels(write(tmp_path / "l.csv", "label\n0\n1\n")) == ["0", "1"]
    assert read_labels(write(tmp_path / "l.csv", "index,label\n1,one\n0,0\n")) == ["0", "one"]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("2 c\n0 a\n1 b\n", ["a", "b", "c"]),
        ("1: b\n0: a\n", ["a", "b"]),
        ("0 dB\n1 dB\n", ["0 dB", "1 dB"]),
        ("1 kHz\n2 kHz\n", ["1 kHz", "2 kHz"]),
        ("0.5 s\n1.2 m\n", ["0.5 s", "1.2 m"]),
        ("0. a\n1. b\n", ["a", "b"]),
        ("0, b 1\n1, a 0\n", ["b 1", "a 0"]),
        ("speaker 1\nspeaker 2\n", ["speaker 1", "speaker 2"]),
        ("808 kick\nclap\n", ["808 kick", "clap"]),
        ("-3 dB\n0 dB\n", ["-3 dB", "0 dB"]),
        ("808 kick\n", ["808 kick"]),
    ],
)
def test_lines_may_begin_with_their_numbers(tmp_path: Path, text: str, want: list[str]) -> None:
    assert read_labels(write(tmp_path / "l.txt", text)) == want


@pytest.mark.parametrize(
    "text",
    [
        "1 dog\n0 cat\n3 bird\n",
        "0 a\n1 b\n1 c\n",
        "1 dog\n2 cat\n",
        "-1 a\n0 b\n",
        "0: a\n2: b\n",
        "dog 1\ncat 0\n",
        "dog 0\ncat 1\n",
        "dog,1\ncat,0\n",
        "dog (2)\ncat (1)\n",
        "dog: 5\ncat: 7\n",
    ],
)
def test_lines_with_other_numbers_are_refused(tmp_path: Path, text: str) -> None:
    n = text.count("\n")
    path = write(tmp_path / "l.txt", text)
    with pytest.raises(
        fa.ModelError, match=rf"expected numbers from 0 to {n - 1}, each once, .*\.json file$"
    ):
        read_labels(path)
    names = text.split("\n")[:-1]
    assert read_labels(write(tmp_path / "l.json", json.dumps(names))) == names
    again = "".join(f"{i} {name}\n" for i, name in enumerate(names))
    assert read_labels(write(tmp_path / "l.txt", again)) == names
    if "," not in text:
        with pytest.raises(fa.ModelError, match="expected numbers from 0"):
            labels_of_metadata({"labels": text.strip().replace("\n", ",")}, "net.onnx")


@pytest.mark.parametrize(
    "text",
    [
        "# by hand\nindex,display_name\n1,dog\n0,cat\n",
        "# a, b\n#\n\nindex,display_name\n1,dog\n0,cat\n",
        "#index,display_name\n1,dog\n0,cat\n",
        " # names\nname\ncat\ndog\n",
        "# names; of sounds\nindex\tname\n1\tdog\n0\tcat\n",
    ],
)
def test_comments_before_a_table_are_no_labels(tmp_path: Path, text: str) -> None:
    assert read_labels(write(tmp_path / "l.csv", text)) == ["cat", "dog"]


def test_names_may_begin_with_a_hash(tmp_path: Path) -> None:
    assert read_labels(write(tmp_path / "l.csv", "name\n#a\n# b\n")) == ["#a", "# b"]


@pytest.mark.parametrize("text", ["{[]: 1}", "{{}: 1}", "{0x" + "f" * 5000 + ": 'a'}", "[" * 900 + "]" * 900])
def test_metadata_that_is_no_list_is_text_or_refused(text: str) -> None:
    try:
        assert labels_of_metadata({"names": text}, "net.onnx")
    except fa.ModelError as error:
        assert "expected" in str(error)  # noqa: PT017


@pytest.mark.parametrize("text", ["id,label\n/m/0,a\n/m/1,b\n", "n,label\n2,a\n3,b\n"])
def test_the_column_that_the_message_asks_for_is_taken(tmp_path: Path, text: str) -> None:
    with pytest.raises(fa.ModelError, match=r"number the labels .*, from 0, in a column named index"):
        read_labels(write(tmp_path / "l.csv", text))
    rows = zip(["index", "1", "0"], text.split(), strict=True)
    again = "\n".join(",".join(row) for row in rows)
    assert read_labels(write(tmp_path / "l.csv", again)) == ["b", "a"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ('{"label2id": {"a": 0, "b": 0, "c": 1}}', "expected one label for 0, got 'a' and 'b'"),
        ('{"id2label": {"0": "a", "0": "b"}}', "the key '0' twice in one object; rename or remove one"),
        ('{"label2id": {"a": [1]}}', "expected a whole number for 'a'"),
        ('{"label2id": {"a": {}}}', "expected a whole number for 'a'"),
    ],
)
def test_no_label_of_json_is_lost(content: str, error: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(fa.ModelError, match=re.escape(error)):
        read_labels(path)


@pytest.mark.parametrize(
    "text",
    [
        'index,name\n0,"a\n1,b\n2,"c"\n',
        'index,name\n0,a\n1,"b\n',
        'name\n"a\nb\nc"\n',
        'name,text\na,"x\nb,y\nc,"\n',
        'name;text\na;"x\nb;y\nc;"\n',
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_open_quote_takes_in_no_other_label(tmp_path: Path, text: str, line_end: str) -> None:
    path = write(tmp_path / "l.csv", text.replace("\n", line_end))
    with pytest.raises(
        fa.ModelError, match="expected quotes that open and close around a cell, in one line, got"
    ):
        read_labels(path)


def test_quotes_inside_a_name_stay(tmp_path: Path) -> None:
    text = 'index,name\n0,12" vinyl\n1,"say ""hi"", twice"\n'
    assert read_labels(write(tmp_path / "l.csv", text)) == ['12" vinyl', 'say "hi", twice']


CONTROLS = [
    "\x1b[2J",
    "\x07",
    "\x00",
    "\x7f",
    "\x9b",
    "\u2028",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\ufffd",
    "\n",
    "\t",
]


@pytest.mark.parametrize("sign", CONTROLS)
@pytest.mark.parametrize(
    "source", ["text", "table", "list", "id2label", "label2id", "metadata", "Essentia", "Python"]
)
def test_labels_that_would_control_a_terminal_are_refused_from_everywhere(
    tmp_path: Path, source: str, sign: str
) -> None:
    label = f"a{sign}b"
    dicts = {"id2label": {"0": label}, "label2id": {label: 0}}
    essentia = {"schema": {}, "inference": {"algorithm": "TempoCNN"}, "classes": [label]}

    def read() -> object:
        if source in ("text", "table"):
            text = f"{label}\nc\n" if source == "text" else f"name,n\n{label},0\nc,1\n"
            name = "l.txt" if source == "text" else "l.csv"
            return read_labels(write(tmp_path / name, text.encode()))
        if source == "metadata":
            return labels_of_metadata({"labels": json.dumps([label])}, "net.onnx")
        if source == "Essentia":
            return read_essentia(write(tmp_path / "l.json", json.dumps(essentia)))
        if source == "Python":
            return checked([label], "labels")
        data = dicts.get(source, [label])
        return read_labels(
            write(tmp_path / "l.json", json.dumps({source: data} if source in dicts else data))
        )

    if source in ("text", "table") and sign == "\n":
        pytest.skip("there it ends the label")
    with pytest.raises(fa.ModelError) as told:
        read()
    assert "expected" in str(told.value)
    assert printable(str(told.value)) == str(told.value)


@pytest.mark.parametrize(
    "text", ["[NaN, 1]", "[Infinity]", "[-1e999]", '{"id2label": {"0": NaN}}', '{"classes": [1e999]}']
)
def test_a_number_that_is_not_finite_is_no_label(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "l.json", text)
    with pytest.raises(fa.ModelError, match="expected each label as a text or a finite number, got"):
        read_labels(path)


@pytest.mark.parametrize("text", ['["a", "b"', "{'a', 'b'}", "{0: 'a', 1: 'b'", '[\n"a",\n"b"\n'])
def test_metadata_of_which_a_part_is_missing_is_refused(text: str) -> None:
    with pytest.raises(
        fa.ModelError, match="metadata 'names': expected a list or a dict of labels, whole and"
    ):
        labels_of_metadata({"names": text}, "net.onnx")


def test_metadata_that_is_no_python_warns_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    assert labels_of_metadata({"labels": "0a, 1else, 2_"}, "net.onnx") == ["0a", "1else", "2_"]
    assert not recwarn.list


def test_metadata_may_be_lines_or_a_line() -> None:
    assert labels_of_metadata({"labels": '"a, b", c'}, "net.onnx") == ["a, b", "c"]
    assert labels_of_metadata({"labels": "[music]\n[noise]"}, "net.onnx") == ["[music]", "[noise]"]
    with pytest.raises(fa.ModelError, match="expected quotes that open and close"):
        labels_of_metadata({"labels": 'a, "b, c'}, "net.onnx")
