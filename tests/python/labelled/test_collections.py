"""Published collections, made up in their layouts: labels, folds and groups are theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastaudio import labelled
from fastaudio.labelled.collections import recognised


def write(top: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return top


def esc50(top: Path) -> Path:
    rows = ["1-100032-A-0.wav,1,0,dog,True,100032,A", "5-9032-A-0.wav,5,0,rain,False,9032,A"]
    return write(
        top,
        {
            "meta/esc50.csv": "\n".join(["filename,fold,target,category,esc10,src_file,take", *rows]),
            "audio/1-100032-A-0.wav": "",
            "audio/5-9032-A-0.wav": "",
        },
    )


def urbansound8k(top: Path) -> Path:
    head = "slice_file_name,fsID,start,end,salience,fold,classID,class"
    rows = ["7061-6-0-0.wav,7061,0,4,1,5,6,gun_shot", "7061-6-1-0.wav,7061,4,8,1,5,6,gun_shot"]
    return write(
        top,
        {
            "metadata/UrbanSound8K.csv": "\n".join([head, *rows]),
            "audio/fold5/7061-6-0-0.wav": "",
            "audio/fold5/7061-6-1-0.wav": "",
        },
    )


def gtzan(top: Path) -> Path:
    genres = ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"]
    return write(top, {f"genres/{genre}/{genre}.00000.wav": "" for genre in genres})


def magnatagatune(top: Path) -> Path:
    return write(
        top,
        {
            "annotations_final.csv": '"clip_id"\t"guitar"\t"no voice"\t"mp3_path"\n'
            '"2"\t"1"\t"1"\t"f/a-1.mp3"\n"6"\t"0"\t"1"\t"c/b-2.mp3"\n"7"\t"0"\t"0"\t"0/c-3.mp3"\n',
            "clip_info_final.csv": '"clip_id"\t"artist"\t"mp3_path"\n'
            '"2"\t"A"\t"f/a-1.mp3"\n"6"\t"A"\t"c/b-2.mp3"\n',
            "f/a-1.mp3": "",
            "c/b-2.mp3": "",
            "0/c-3.mp3": "",
        },
    )


def openmic(top: Path) -> Path:
    return write(
        top,
        {
            "openmic-2018-aggregated-labels.csv": "sample_key,instrument,relevance,num_responses\n"
            "000046_3840,clarinet,0.17105,3\n000046_3840,flute,0.9,3\n000135_483840,voice,0.5,3\n",
            "partitions/split01_train.csv": "000046_3840\n",
            "partitions/split01_test.csv": "000135_483840\n",
            "audio/000/000046_3840.ogg": "",
            "audio/000/000135_483840.ogg": "",
        },
    )


def fsd50k(top: Path) -> Path:
    return write(
        top,
        {
            "FSD50K.ground_truth/dev.csv": "fname,labels,mids,split\n"
            '64760,"Electric_guitar,Guitar","/m/02sgy,/m/0342h",train\n16399,Rain,/m/06mb1,val\n',
            "FSD50K.ground_truth/eval.csv": 'fname,labels,mids\n37199,"Rain,Water","/m/06mb1,/m/0838f"\n',
            "FSD50K.dev_audio/64760.wav": "",
            "FSD50K.dev_audio/16399.wav": "",
            "FSD50K.eval_audio/37199.wav": "",
        },
    )


@pytest.mark.parametrize(
    ("make", "name", "want"),
    [
        (esc50, "ESC-50", [(["dog"], None, "1"), (["rain"], None, "5")]),
        (urbansound8k, "UrbanSound8K", [(["gun_shot"], "7061", "5")] * 2),
        (
            magnatagatune,
            "MagnaTagATune",
            [
                (["guitar", "no voice"], "A", "test"),
                (["no voice"], "A", "validation"),
                ([], "0/c-3.mp3", "train"),
            ],
        ),
        (openmic, "OpenMIC-2018", [(["flute"], None, "train"), (["voice"], None, "test")]),
        (
            fsd50k,
            "FSD50K",
            [
                (["Electric_guitar", "Guitar"], None, "train"),
                (["Rain"], None, "val"),
                (["Rain", "Water"], None, "test"),
            ],
        ),
    ],
)
def test_labels_groups_and_folds_are_the_collections_own(
    tmp_path: Path, make: object, name: str, want: list[tuple[list[str], str | None, str]]
) -> None:
    top = make(tmp_path)  # type: ignore[operator]
    assert labelled.has_tables(top)
    found = labelled.read(top)
    assert found.what == f"the collection {name}"
    assert found.left_out == []
    groups = found.groups or [None] * len(found.files)
    assert list(zip(found.labels, groups, found.folds or [], strict=True)) == want
    assert all(Path(str(file)).is_file() for file in found.files)


def test_gtzan_is_ten_folders(tmp_path: Path) -> None:
    found = labelled.read(gtzan(tmp_path))
    assert found.what == "the collection GTZAN"
    assert len(found.files) == 10
    assert found.labels[0] == ["blues"]
    assert (found.folds, found.groups) == (None, None)
    assert recognised(tmp_path / "genres") is not None


def test_files_that_are_missing_are_named(tmp_path: Path) -> None:
    top = esc50(tmp_path)
    (top / "audio" / "1-100032-A-0.wav").unlink()
    found = labelled.read(top)
    assert len(found.files) == 1
    ((place, reason),) = found.left_out
    assert place.endswith("1-100032-A-0.wav")
    assert reason == "expected a file of the collection, got none; unpack it all"


def test_a_table_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    top = esc50(tmp_path / "in")
    (tmp_path / "secret.wav").write_text("", encoding="utf-8")
    table = top / "meta" / "esc50.csv"
    table.write_text(
        table.read_text(encoding="utf-8").replace("5-9032-A-0.wav", "../../secret.wav"), encoding="utf-8"
    )
    assert len(labelled.read(top).files) == 1


def test_a_table_in_another_form_is_refused(tmp_path: Path) -> None:
    top = esc50(tmp_path)
    (top / "meta" / "esc50.csv").write_text("name,fold\nx,1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected the columns filename, fold, category, src_file in line 2"):
        labelled.read(top)
