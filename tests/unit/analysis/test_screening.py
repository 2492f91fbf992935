import numpy as np
import pandas as pd
import pytest

from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import encode
from analysis.ratings.mos import mos_by_condition
from analysis.ratings.screening import (
    CHECK_COLUMNS,
    EXCLUSION_COLUMNS,
    RULE_SETS,
    Screening,
    apply_exclusions,
    exclude_raters,
    rule_set,
    screen,
    side_by_side,
)
from analysis.ratings.screening_rules import RULES, rest_correlations
from analysis.schema import SchemaError, count_excluded, select_usable, validate_ratings

BASE = {"condition": "codec", "scale": "ovrl", "labels": "", "role": "test", "session_id": "s", "heard_share": "1"}


def panel(n_raters: int = 8, n_clips: int = 10, **columns: object) -> pd.DataFrame:
    """Raters who hear the same differences between clips, each with a little noise; a column may be changed for all."""
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.linspace(1.5, 4.5, n_clips))
    rows = [
        BASE | {"rater_id": f"r{r}", "stimulus_id": f"c{c}", "clip_id": f"c{c}"}
        | {"value": int(np.clip(round(truth[c] + rng.normal(0, 0.5)), 1, 5)), "seconds": "6"}
        for r in range(n_raters)
        for c in range(n_clips)
    ]  # fmt: skip
    return validate_ratings(pd.DataFrame(rows).assign(**columns))


def check(rater: str, role: str, value: int, expected: str, number: int = 0) -> dict[str, object]:
    name = f"{role}{number}"
    answer = {"rater_id": rater, "stimulus_id": name, "clip_id": name, "role": role, "value": value, "expected": expected}
    return BASE | {"seconds": "6"} | answer


def with_rows(frame: pd.DataFrame, *rows: dict[str, object]) -> pd.DataFrame:
    return validate_ratings(pd.concat([frame, pd.DataFrame(list(rows))], ignore_index=True).fillna(""))


def named(result: Screening, rule: str) -> list[str]:
    table = result.exclusions
    return table.loc[table["rule"] == rule, "rater_id"].tolist()


def test_a_careful_panel_loses_nobody_and_rules_without_data_say_so() -> None:
    result = screen(panel(), "p808-acr")
    assert result.exclusions.empty and result.exclusions.columns.tolist() == list(EXCLUSION_COLUMNS)
    assert result.checks.columns.tolist() == list(CHECK_COLUMNS)
    notes = result.checks.set_index("rule")["note"]
    assert notes["gold"] == "not applied: no rating with role 'gold' and an answer in 'expected'"
    assert notes["trap"].startswith("not applied") and notes["time"] == notes["session_variance"] == ""


def test_gold_within_one_passes_and_two_off_fails() -> None:
    frame = with_rows(panel(), check("r0", "gold", 4, "5"), check("r1", "gold", 3, "5"), check("r2", "gold", 2, "1"))
    result = screen(frame, "p808-acr")
    assert named(result, "gold") == ["r1"]
    row = result.exclusions.iloc[0]
    assert (row["reason"], row["n_ratings"], row["session_id"]) == ("0 of 1 gold answers right on ovrl", 10, "s")
    strict = RULE_SETS["p808-acr"].with_parameters("gold", tolerance=0)
    assert named(screen(frame, strict), "gold") == ["r0", "r1", "r2"]


def test_a_trap_takes_the_exact_answer() -> None:
    frame = with_rows(panel(), check("r0", "trap", 2, "2"), check("r1", "trap", 3, "2"))
    assert named(screen(frame, "p808-acr"), "trap") == ["r1"]


def test_a_gold_of_labels_is_compared_as_a_set() -> None:
    labels = {"scale": "emotion", "value": ""}
    good = check("r0", "gold", 1, "joy|anger") | labels | {"labels": "anger|joy"}
    bad = check("r1", "gold", 1, "joy|anger") | labels | {"labels": "anger"}
    assert named(screen(with_rows(panel(), good, bad), "p808-acr"), "gold") == ["r1"]


def test_recordings_not_heard_to_the_end() -> None:
    frame = panel()
    frame.loc[(frame["rater_id"] == "r3") & (frame["clip_id"] == "c2"), "heard_share"] = "0.4"
    result = screen(frame, "p808-acr")
    assert named(result, "play_through") == ["r3"]
    assert result.exclusions["reason"].iloc[0] == "only 9 of 10 recordings heard to the end"


def test_straight_lining_on_one_scale_passes_the_pooled_variance_and_not_the_rule_per_scale() -> None:
    frame = panel()
    other = panel().assign(scale="sig")
    both = validate_ratings(pd.concat([frame, other], ignore_index=True))
    lazy = both["rater_id"] == "r4"
    both.loc[lazy & (both["scale"] == "ovrl"), "value"] = 5.0
    both.loc[lazy & (both["scale"] == "sig"), "value"] = 3.0
    result = screen(both, "p808-acr")
    assert named(result, "straight_lining") == ["r4"] and named(result, "session_variance") == []
    assert result.exclusions["reason"].iloc[0] == "10 of 10 answers on ovrl are 5; 10 of 10 answers on sig are 3"


def test_a_session_without_variance_and_a_hasty_one() -> None:
    frame = panel()
    frame.loc[frame["rater_id"] == "r1", "value"] = 4.0
    frame.loc[frame["rater_id"] == "r2", "seconds"] = "0.9"
    result = screen(frame, "p808-acr")
    assert named(result, "session_variance") == ["r1"] and named(result, "time") == ["r2"]
    assert (result.exclusions["reason"] == "median 0.9 s per trial").sum() == 1


def test_time_is_read_from_the_gaps_between_submissions_where_no_seconds_are_given() -> None:
    frame = panel(seconds="")
    start = pd.Timestamp("2026-11-20T12:00:00Z")
    step = frame["clip_id"].str[1:].astype(int) * np.where(frame["rater_id"] == "r5", 1.0, 8.0)
    frame["submitted_at"] = [(start + pd.Timedelta(seconds=float(s))).isoformat() for s in step]
    assert named(screen(frame, "p808-acr"), "time") == ["r5"]


def test_correlation_with_the_rest_never_includes_the_rater_himself() -> None:
    frame = panel()
    table = rest_correlations(frame).set_index("rater_id")
    wide = frame.pivot(index="clip_id", columns="rater_id", values="value")
    for rater in wide:
        expected = np.corrcoef(wide[rater], wide.drop(columns=rater).mean(axis=1))[0, 1]
        assert table.at[rater, "r"] == pytest.approx(expected)


def test_a_rater_who_turns_the_scale_round_is_found_by_correlation_alone() -> None:
    frame = panel()
    frame["value"] = frame["value"].mask(frame["rater_id"] == "r6", 6 - frame["value"])
    result = screen(frame, "p808-p804")
    assert result.exclusions["rater_id"].tolist() == ["r6"] and result.exclusions["rule"].tolist() == ["rest_correlation"]


def mushra(n_raters: int = 6, n_items: int = 10) -> pd.DataFrame:
    level = {"original": 97.0, "anchor-7k": 45.0, "codec": 70.0}
    role = {"original": "reference", "anchor-7k": "anchor", "codec": "test"}
    rows = [
        {"rater_id": f"r{r}", "stimulus_id": f"{c}/{name}", "clip_id": f"c{c}", "condition": name, "scale": "quality-100"}
        | {"value": value + c % 3 - r % 2, "labels": "", "role": role[name]}
        for r in range(n_raters)
        for c in range(n_items)
        for name, value in level.items()
    ]
    return validate_ratings(pd.DataFrame(rows))


@pytest.mark.parametrize(("items", "failed"), [(1, []), (2, ["r1"])])
def test_a_hidden_reference_may_be_missed_in_fifteen_percent_of_the_items(items: int, failed: list[str]) -> None:
    frame = mushra()
    low = (
        (frame["rater_id"] == "r1")
        & (frame["condition"] == "original")
        & frame["clip_id"].isin([f"c{i}" for i in range(items)])
    )
    frame.loc[low, "value"] = 80.0
    assert named(screen(frame, "bs1534"), "hidden_reference") == failed


def test_an_anchor_that_many_raters_find_good_is_held_against_nobody() -> None:
    frame = mushra()
    anchor = frame["condition"] == "anchor-7k"
    alone = frame.assign(value=frame["value"].mask(anchor & (frame["rater_id"] == "r2"), 95.0))
    assert named(screen(alone, "bs1534"), "mid_anchor") == ["r2"]
    many = frame.assign(value=frame["value"].mask(anchor & frame["rater_id"].isin(["r2", "r3"]), 95.0))
    assert named(screen(many, "bs1534"), "mid_anchor") == []


def test_exclusions_become_reasons_and_an_excluded_rater_changes_no_other_number() -> None:
    frame = panel()
    frame.loc[frame["rater_id"] == "r1", "value"] = 4.0
    result = screen(frame, "p808-acr")
    marked = apply_exclusions(frame, result.exclusions)
    reasons = {"straight_lining: 10 of 10 answers on ovrl are 4"}
    assert set(marked.loc[marked["rater_id"] == "r1", "excluded"]) == reasons
    assert (marked.loc[marked["rater_id"] != "r1", "excluded"] == "").all()
    without = frame[frame["rater_id"] != "r1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(select_usable(marked).used, without)
    assert count_excluded(marked) == {("codec", "ovrl"): 10}


def test_a_session_is_excluded_alone_where_the_rule_is_about_sessions() -> None:
    frame = panel()
    frame.loc[(frame["rater_id"] == "r1") & (frame["clip_id"] >= "c5"), "session_id"] = "late"
    frame.loc[frame["session_id"] == "late", "seconds"] = "0.5"
    marked = apply_exclusions(frame, screen(frame, RULE_SETS["p808-acr"].with_parameters("time", minimum_trials=3)).exclusions)
    mine = marked[marked["rater_id"] == "r1"]
    assert (mine["excluded"] != "").tolist() == (mine["session_id"] == "late").tolist()


def test_results_with_and_without_stand_side_by_side() -> None:
    frame = panel()
    frame.loc[frame["rater_id"] == "r1", "value"] = 5.0

    def mos(ratings: pd.DataFrame) -> pd.DataFrame:
        scales = encode(select_usable(ratings).used)
        coded = scales["ovrl"]
        return mos_by_condition(scales, CrossedBootstrap(len(coded.raters), len(coded.clips), 32)).frame

    screened = apply_exclusions(frame, screen(frame, "p808-acr").exclusions)
    row = side_by_side(mos(frame), mos(screened)).iloc[0]
    assert row["mos_screened"] == pytest.approx(frame.loc[frame["rater_id"] != "r1", "value"].mean())
    assert row["change"] < 0 and (row["n_all"], row["n_screened"]) == (80, 70)


def test_raters_named_by_hand_must_be_in_the_data() -> None:
    table = exclude_raters(panel(), ["r1"])
    assert table[["rater_id", "rule", "n_ratings"]].to_numpy().tolist() == [["r1", "by_hand", 10]]
    with pytest.raises(SchemaError, match="No rating is by r99"):
        exclude_raters(panel(), ["r99"])


def test_rule_sets_name_rules_that_exist_and_unknown_names_are_refused() -> None:
    assert {rule for one in RULE_SETS.values() for rule in one.rules} <= set(RULES)
    assert all(key == one.name for key, one in RULE_SETS.items())
    with pytest.raises(SchemaError, match="no screening rule set 'p808'"):
        rule_set("p808")
    with pytest.raises(SchemaError, match="no screening rule 'silver'"):
        RULE_SETS["none"].with_parameters("silver", minimum=1)
    changed = RULE_SETS["p808-acr"].without("gold").with_parameters("trap", minimum_share=0.5)
    assert changed.version == "1-changed" and "gold" not in changed.rules


@pytest.mark.parametrize("rules", RULE_SETS)
def test_row_order_changes_nothing_and_empty_frames_are_no_crash(rules: str) -> None:
    frame = with_rows(mushra(), check("r1", "gold", 2, "5"), check("r2", "trap", 2, "5"))
    shuffled = frame.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(screen(frame, rules).exclusions, screen(shuffled, rules).exclusions)
    for few in (frame.iloc[:0], frame.iloc[:1], frame.assign(rater_id="")):
        assert screen(few, rules).exclusions.columns.tolist() == list(EXCLUSION_COLUMNS)
