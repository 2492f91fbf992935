import json
import re
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.report import write_report
from tests.conftest import absent

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
        *("raters.svg", "confusion.svg"),
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


def test_other_names_of_raters_and_clips_change_no_number(make_ratings, tmp_path: Path) -> None:
    def tables(name: str, rename: Callable[[str], str]) -> dict[str, pd.DataFrame]:
        frame = make_ratings()
        names = {column: frame[column].map(rename) for column in ("rater_id", "clip_id", "stimulus_id")}
        write_report(frame.assign(**names), tmp_path / name, make_pdf=False, replicates=64)
        files = ("mos.csv", "contrasts.csv", "retention.csv", "retention_by_emotion.csv", "soft_labels.csv", "agreement.csv")
        return {file: pd.read_csv(tmp_path / name / file) for file in files}

    plain = tables("plain", str)
    for file, same_order in tables("same", lambda name: f"x{name}").items():
        pd.testing.assert_frame_equal(same_order, plain[file], check_exact=True)
    # Draws follow the order of names: names in another order have other draws, and the same scores.
    turned = {str(digit): "9876543210"[digit] for digit in range(10)}
    for file, table in tables("turned", lambda name: "".join(turned.get(letter, letter) for letter in name)).items():
        left = [column for column in table.columns if not re.search("ci_low|ci_high|bootstrap|note", column)]
        pd.testing.assert_frame_equal(table[left], plain[file][left])


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


SECTIONS = ["quality", "emotion", "both", "contrasts", "data", "counts", "people", "gaps", "methods", "provenance"]


def test_the_page_has_its_sections_in_order_and_a_way_to_each(make_ratings, tmp_path: Path) -> None:
    html = write_report(make_ratings(), tmp_path, replicates=32, make_pdf=False).html.read_text()
    assert re.findall(r'<h2 id="([^"]+)"', html) == SECTIONS
    assert re.findall(r'<li><a href="#([^"]+)"', html) == SECTIONS
    assert html.count("<figure ") == html.count("Numbers of this figure") == len(list((tmp_path / "figures").iterdir())) - 1


def test_exported_figures_have_their_colours_written_out(make_ratings, tmp_path: Path) -> None:
    write_report(make_ratings(), tmp_path, replicates=32, make_pdf=False)
    for path in (tmp_path / "figures").iterdir():
        text = path.read_text()
        assert "var(" not in text and "@media" not in text and "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_tables_come_as_parquet_with_the_same_numbers_and_as_latex_with_booktabs(make_ratings, tmp_path: Path) -> None:
    write_report(make_ratings(), tmp_path, replicates=32, make_pdf=False)
    for path in tmp_path.glob("*.csv"):
        table = pd.read_parquet(tmp_path / "tables" / f"{path.stem}.parquet")
        assert table.columns.tolist() == pd.read_csv(path).columns.tolist() and len(table) == len(pd.read_csv(path))
    tex = (tmp_path / "tables" / "scores.tex").read_text()
    assert [tex.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    rows = [line for line in tex.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 4 and len({line.count("&") for line in rows}) == 1


def test_markdown_and_json_say_what_the_page_says(make_ratings, tmp_path: Path) -> None:
    report = write_report(make_ratings(), tmp_path, replicates=32, make_pdf=False)
    page, text = report.html.read_text(), (tmp_path / "report.md").read_text()
    record = json.loads((tmp_path / "report.json").read_text())
    for sentence in (*report.finding.sentences, *report.gaps):
        assert sentence in text and sentence in unescape(page)
    assert record["methods"] in unescape(page) and record["methods"] in text
    assert record["not_computed"] == list(report.gaps) and "12 raters gave" in record["methods"]


def test_the_pdf_is_the_same_each_time_and_its_absence_is_said(make_ratings, tmp_path: Path, monkeypatch) -> None:
    frame = make_ratings(n_raters=6, n_clips=6)
    for name in "ab":
        report = write_report(frame, tmp_path / name, replicates=32)
        if not (tmp_path / name / "report.pdf").is_file():
            absent(next(gap for gap in report.gaps if "report.pdf" in gap))
    one, two = ((tmp_path / name / "report.pdf").read_bytes() for name in "ab")
    assert one.startswith(b"%PDF") and one == two
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    report = write_report(frame, tmp_path / "c", replicates=32)
    assert "weasyprint is not installed" in report.gaps[-1] and not (tmp_path / "c" / "report.pdf").exists()


def test_screening_and_raters_left_out_by_hand_are_told_beside_the_scores_without(make_ratings, tmp_path: Path) -> None:
    report = write_report(
        make_ratings(), tmp_path, replicates=32, make_pdf=False, screening="p808-personalised", exclude=["r3"]
    )
    exclusions = pd.read_csv(tmp_path / "exclusions.csv", keep_default_na=False)
    assert exclusions.loc[exclusions["rater_id"] == "r3", "rule"].tolist()[0] == "by_hand"
    beside = pd.read_csv(tmp_path / "with_and_without_screening.csv")
    assert (beside["n_all"] - beside["n_screened"]).sum() >= 8 and "rule set p808-personalised" in report.html.read_text()
    assert "Scores with and without this screening" in report.html.read_text()


def test_a_second_panel_is_the_ceiling_and_no_codec(make_ratings, tmp_path: Path) -> None:
    frame = make_ratings(n_raters=24)
    second = (frame["condition"] == "original") & frame["rater_id"].isin([f"r{k}" for k in range(12, 24)])
    report = write_report(frame.assign(panel=second.map({True: "2", False: ""})), tmp_path, replicates=32, make_pdf=False)
    assert any("measured with a second panel" in sentence for sentence in report.finding.sentences)
    assert "second panel" not in report.finding.headline and "original-panel-2" in (tmp_path / "mos.csv").read_text()


def test_rates_are_drawn_and_the_cheapest_level_codec_is_named(make_ratings, tmp_path: Path) -> None:
    table = pd.DataFrame(
        [["opus-24kbps", "Opus 24", "Opus", 24000], ["opus-6kbps", "Opus 6", "Opus", 6000]],
        columns=["condition", "label", "family", "nominal_bps"],
    )
    report = write_report(make_ratings(), tmp_path, replicates=64, make_pdf=False, conditions=table)
    assert (tmp_path / "figures" / "rate_ovrl.svg").is_file() and (tmp_path / "figures" / "rate_retention.svg").is_file()
    assert sum("lower bit rate" in s or "lowest bit rate" in s for s in report.finding.sentences) == 2
