import argparse
import json
import statistics
import time

import pytest

from benchmarks import common


def test_the_bootstrap_interval_holds_the_statistic_and_narrows_with_more_values():
    few = common.bootstrap([1.0, 2.0, 3.0, 4.0, 5.0])
    many = common.bootstrap([1.0, 2.0, 3.0, 4.0, 5.0] * 40)
    assert few.low <= few.value <= few.high
    assert many.value == few.value == 3.0
    assert many.high - many.low < few.high - few.low


def test_the_bootstrap_takes_any_statistic_and_refuses_nothing():
    assert common.bootstrap([2.0, 2.0], statistics.fmean) == common.Interval(2.0, 2.0, 2.0)
    with pytest.raises(ValueError, match="no values"):
        common.bootstrap([])


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 2.5), (1.0, 4.0), (0.95, 3.85)])
def test_quantiles_interpolate(share, expected):
    assert common.quantile([4.0, 1.0, 3.0, 2.0], share) == pytest.approx(expected)


def test_a_result_file_holds_host_settings_and_tables(tmp_path):
    table = common.table("t", ["a", "b"], [[1, "x"]])
    path = common.write_result("demo", settings={"seed": 1}, tables=[table], data={"raw": [1, 2]}, folder=tmp_path)
    result = json.loads(path.read_text())
    assert result["benchmark"] == "demo"
    assert result["host"]["cores"] >= 1
    assert result["tables"] == [table]
    assert result["raw"] == [1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["demo.json"]


def test_a_ragged_table_is_refused():
    with pytest.raises(ValueError, match="a row of 1 cells, expected 2"):
        common.table("t", ["a", "b"], [[1]])


def test_a_time_of_day_is_todays_and_anything_else_is_refused():
    for text in ("00:00", "07:30", "23:59"):
        assert time.strftime("%H:%M", time.localtime(common.time_of_day(text))) == text
    for text in ("99:99", "7", "soon", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="HH:MM"):
            common.time_of_day(text)
