import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.report import write_report

REPO = Path(__file__).parents[3]
HEADERS = {
    "mos.csv": [
        *("condition", "scale", "n_ratings", "n_raters", "n_clips", "mos", "sd", "ci_low", "ci_high"),
        *("ci_method", "sos_a", "n_excluded"),
    ],
    "retention.csv": ["condition", "macro_f1", "ci_low", "ci_high"],
    "retention_by_emotion.csv": ["condition", "emotion", "f1", "ci_low", "ci_high", "support"],
    "contrasts.csv": [
        *("scale", "condition_a", "condition_b", "difference", "ci_low", "ci_high", "p", "p_holm", "cliffs_delta"),
    ],
    "soft_labels.csv": ["condition", "ambiguity", "js_divergence", "top2_accuracy", "n_clips"],
    "exclusions.csv": ["rater_id", "rule", "reason", "n_ratings"],
    "agreement.csv": [
        "scale",
        "condition",
        "coefficient",
        "level",
        "value",
        "ci_low",
        "ci_high",
        "n_units",
        "n_raters",
        "n_ratings",
    ],
}


class Tags(HTMLParser):
    """Collects the tags and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href", "action"}]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_promised_file_and_column_is_there(make_ratings, tmp_path: Path) -> None:
    write_report(make_ratings(), tmp_path, make_pdf=False, replicates=64)
    for name, columns in HEADERS.items():
        assert [c for c in pd.read_csv(tmp_path / name).columns if c in columns] == columns
    agreement = pd.read_csv(tmp_path / "agreement.csv")
    assert agreement["condition"].isna().any(), "an empty condition means all"
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        *("mos_ovrl.svg", "retention.svg", "retention_by_emotion.svg", "emotion_drop.svg", "plane.svg"),
        *("votes_ovrl.svg", "votes_emotion.svg", "clips.svg", "agreement.svg", "screening.svg", "participants.svg"),
    }


def test_the_same_ratings_in_any_order_give_the_same_bytes(make_ratings, tmp_path: Path) -> None:
    frame = make_ratings()
    write_report(frame, tmp_path / "a", make_pdf=False, replicates=64, seed=1)
    write_report(frame.sample(frac=1, random_state=1), tmp_path / "b", make_pdf=False, replicates=64, seed=1)
    write_report(frame, tmp_path / "c", make_pdf=False, replicates=64, seed=2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a")["retention.csv"] != contents(tmp_path / "c")["retention.csv"]


def test_excluded_ratings_change_the_counts_and_nothing_else(make_ratings, tmp_path: Path) -> None:
    frame = make_ratings()
    extra = make_ratings(n_raters=3, seed=9)
    extra["rater_id"] = "x" + extra["rater_id"]
    extra["excluded"] = "failed the trap"
    write_report(frame, tmp_path / "a", make_pdf=False, replicates=64)
    write_report(pd.concat([frame, extra]), tmp_path / "b", make_pdf=False, replicates=64)
    a, b = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert all(a[name] == b[name] for name in HEADERS if name not in ("mos.csv", "exclusions.csv"))
    one, two = (pd.read_csv(tmp_path / name / "mos.csv") for name in "ab")
    pd.testing.assert_frame_equal(one.drop(columns="n_excluded"), two.drop(columns="n_excluded"))
    assert json.loads(b["report.json"])["left_out"] == {"failed the trap": len(extra)}
    assert "failed the trap" in b["report.html"].decode()


def test_the_page_needs_nothing_but_itself(make_ratings, tmp_path: Path) -> None:
    html = write_report(make_ratings(), tmp_path, make_pdf=False, replicates=64).html.read_text()
    page = Tags()
    page.feed(html)
    assert not {"script", "iframe", "img"} & set(page.tags)
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert not re.search(r"url\(|@import", html)
    n_drawings = 2 * (len(list((tmp_path / "figures").iterdir())) - 1)  # each wide and narrow; nothing was left out here
    assert html.count("<title id=") == html.count("<desc id=") == n_drawings >= 16
    assert page.tags.count("caption") == page.tags.count("table")
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("simulated", [0, 1])
def test_simulated_ratings_carry_a_banner_and_real_ones_do_not(make_ratings, tmp_path: Path, simulated: int) -> None:
    write_report(make_ratings(simulated=simulated), tmp_path, make_pdf=False, replicates=64)
    for name in ("report.html", "figures/mos_ovrl.svg", "figures/plane.svg"):
        assert ("Simulated ratings" in (tmp_path / name).read_text()) == bool(simulated)
    assert json.loads((tmp_path / "report.json").read_text())["simulated"] is bool(simulated)


def test_names_are_escaped_and_figures_are_well_formed(make_ratings, tmp_path: Path) -> None:
    frame = make_ratings()
    frame["condition"] = frame["condition"].replace("opus-6kbps", "<b>&\"'")
    write_report(frame, tmp_path, make_pdf=False, replicates=64, title="<i>T")
    html = (tmp_path / "report.html").read_text()
    assert "<b>" not in html and "<i>" not in html
    for path in (tmp_path / "figures").iterdir():
        ElementTree.fromstring(path.read_text())


def test_conditions_are_named_ordered_and_given_their_rates(make_ratings, tmp_path: Path) -> None:
    table = pd.DataFrame(
        [["opus-24kbps", "Opus at 24", "opus", 24000, 24310.0], ["opus-6kbps", "Opus at 6", "opus", 6000, None]],
        columns=["condition", "label", "family", "nominal_bps", "measured_bps"],
    )
    report = write_report(make_ratings(), tmp_path, make_pdf=False, replicates=64, conditions=table)
    assert [(c.label, c.rate) for c in report.results.conditions] == [
        ("original", "reference"), ("Opus at 6", "6 kbit/s nominal"), ("Opus at 24", "24.3 kbit/s measured"),
    ]  # fmt: skip
    assert pd.read_csv(tmp_path / "mos.csv")["condition"].tolist() == ["original", "opus-6kbps", "opus-24kbps"]


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f[f["scale"] == "ovrl"],
        lambda f: f[f["scale"] == "emotion"],
        lambda f: f[f["condition"] == "original"],
        lambda f: f[f["condition"] != "original"],
        lambda f: f[f["rater_id"] == "r1"],
        lambda f: f[f["clip_id"] == "c1"],
        lambda f: f.assign(rater_id=""),
        lambda f: f.assign(value=f["value"].where(f["value"].isna(), 3)),
        lambda f: f.iloc[:1],
        lambda f: f.iloc[1:2],
    ],
    ids=["no emotion", "emotion", "reference", "no reference", "one rater", "one clip", "no ids", "constant", "a vote", "a label"],
)  # fmt: skip
def test_thin_data_give_a_report_with_reasons_and_no_crash(make_ratings, tmp_path: Path, change) -> None:
    report = write_report(change(make_ratings()).reset_index(drop=True), tmp_path, replicates=32, make_pdf=False)
    assert report.html.read_text().endswith("</html>\n")
    for table, value in ((report.mos, "ci_low"), (report.retention, "macro_f1"), (report.agreement, "value")):
        assert (table.loc[table[value].isna(), "note"] != "").all()


def test_the_command_writes_a_report_and_says_its_headline(make_ratings, tmp_path: Path) -> None:
    make_ratings().to_csv(tmp_path / "ratings.csv", index=False)
    command = [
        sys.executable,
        "-m",
        "analysis",
        "report",
        str(tmp_path / "ratings.csv"),
        "--out",
        str(tmp_path / "out"),
        *("--seed", "7", "--no-pdf"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPO, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    record = json.loads((tmp_path / "out" / "report.json").read_text())
    assert done.stdout.splitlines()[-2:] == [record["headline"], str(tmp_path / "out" / "report.html")]
    assert record["provenance"]["seed"] == "7" and len(record["provenance"]["input_sha256"]) == 64


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["absent.csv"], "Error: There is no ratings file at absent.csv."),
        (["ratings.csv", "--reference", "clean"], "Error: No rating is of the reference condition 'clean'"),
        (["ratings.csv", "--emotions", "anger"], "is not among the options anger."),
        (["ratings.csv", "--conditions", "ratings.csv", "--out", "ratings.csv"], "Error: [Errno"),
        (["ratings.csv", "--conditions", "empty.csv"], "Error: The table of conditions empty.csv could not be read"),
    ],
)
def test_bad_input_ends_the_command_with_a_sentence(
    make_ratings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    make_ratings().to_csv("ratings.csv", index=False)
    Path("empty.csv").touch()
    assert main(["report", *(arguments if "--out" in arguments else [*arguments, "--out", "out"])]) == 2
    assert sentence in capsys.readouterr().err


def test_progress_is_told_until_all_is_done(make_ratings, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_report(
        make_ratings(), tmp_path, make_pdf=False, replicates=64, progress=lambda done, total: told.append((done, total))
    )
    assert told[-1][0] == told[-1][1] and [done for done, _ in told] == sorted(done for done, _ in told)
