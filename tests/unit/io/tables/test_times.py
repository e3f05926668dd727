"""Times as h:mm:ss, as dates, and in other units."""

from __future__ import annotations

import datetime

import pytest

from sbmlgrad.errors import DataError
from sbmlgrad.io.tables.measurements import load_measurements


@pytest.mark.parametrize(
    ("cells", "options", "times", "unit"),
    [
        (["0:14:16", "26:00:00"], {}, [0.2377777777777778, 26.0], "h"),
        (
            ["0:14:16", "0:29:16"],
            {"time_unit": "min"},
            [14.266666666666667, 29.266666666666666],
            "min",
        ),
        (["0:00:01.5", "0:00:02"], {"time_unit": "s"}, [1.5, 2.0], "s"),
        (["0:30", "1:30"], {"clock": "h:mm"}, [0.5, 1.5], "h"),
        (["0:30", "1:30"], {"clock": "m:ss", "time_unit": "s"}, [30.0, 90.0], "s"),
        (["2022-06-03 23:00:00", "2022-06-04T01:30"], {}, [0.0, 2.5], "h"),
        (["1978-01-22", "1978-01-24"], {"time_unit": "day"}, [0.0, 2.0], "day"),
        (["2022-06-03 10:00:00+02:00", "2022-06-03 09:00:00+00:00"], {}, [0.0, 1.0], "h"),
        (["2022-06-03 12:00", "2022-06-03 11:00"], {}, [1.0, 0.0], "h"),
    ],
)
def test_clock_times_and_dates(table, cells, options, times, unit):
    text = "time,A\n" + "".join(f"{cell},{i}\n" for i, cell in enumerate(cells))
    m = load_measurements(table(text), **options)
    by_value = {float(v): float(t) for t, v in zip(m.time, m.value, strict=True)}
    assert [by_value[float(i)] for i in range(len(cells))] == pytest.approx(times, rel=1e-14)
    assert m.time_unit == unit
    assert any(f"in {unit}" in note for note in m.notes)


def test_the_unit_of_the_header_is_kept(table):
    m = load_measurements(table("time [min],A\n0:30:00,1\n1:00:00,2\n"))
    assert (m.times.tolist(), m.time_unit) == ([30.0, 60.0], "min")
    m = load_measurements(table("time (h:mm:ss),A\n0:30:00,1\n1:00:00,2\n"))
    assert (m.times.tolist(), m.time_unit) == ([0.5, 1.0], "h")


def test_moments_of_a_workbook(table):
    clock = [["time", "A"], [datetime.time(0, 14, 16), 1], [datetime.timedelta(hours=26), 2]]
    assert load_measurements(table(clock)).times.tolist() == pytest.approx([856 / 3600, 26.0])
    start = datetime.datetime(2022, 6, 3, 11, 19, 15)
    dates = [["Date", "A"], [start, 1], [start + datetime.timedelta(seconds=65), 2]]
    m = load_measurements(table(dates), time_unit="s")
    assert m.times.tolist() == [0.0, 65.0]
    assert any("counted in s from 2022-06-03 11:19:15" in note for note in m.notes)


def test_a_time_of_day_beyond_midnight_is_stored_as_a_date_of_1900(table):
    # What a spreadsheet shows as 24:14:16 in a cell formatted as h:mm:ss.
    late = datetime.datetime(1900, 1, 1, 0, 14, 16)
    m = load_measurements(table([["time", "A"], [datetime.time(23, 59, 16), 1], [late, 2]]))
    assert m.times.tolist() == pytest.approx([86356 / 3600, 87256 / 3600])


def test_numbers_are_converted_where_both_units_are_known(table):
    m = load_measurements(table("time [min],A\n0,1\n90,2\n"), time_unit="h")
    assert (m.times.tolist(), m.time_unit) == ([0.0, 1.5], "h")
    assert "times were converted from min to h" in m.notes
    m = load_measurements(table("time,A\n0,1\n90,2\n"), time_unit="h")
    assert (m.times.tolist(), m.time_unit) == ([0.0, 90.0], "h")
    assert any("no unit in the file" in note for note in m.notes)
    for options in ({"time_unit": "fortnight"}, {"time_unit": "M"}):
        with pytest.raises(DataError, match=r"cannot be converted to .* not known"):
            load_measurements(table("time [min],A\n0,1\n"), **options)


@pytest.mark.parametrize(
    ("cells", "fragments"),
    [
        (["0:30", "1:30"], ["row 2, column A", "found '0:30'", "clock='h:mm' or clock='m:ss'"]),
        (["0:00:00", "0:15:00", "0.5"], ["row 4, column A", "found '0.5'; it is a number, most"]),
        (
            ["0:00:00", "1978-01-22", "0:20:00"],
            ["row 3, column A", "it is a date, most are a time"],
        ),
        (["1:29:17 PM", "1:30:17 PM"], ["row 2, column A", "a time of day"]),
        (["21/01/2015 13:36:54", "x"], ["row 2, column A", "day and month cannot be told apart"]),
        (["10.12.2020", "11.12.2020"], ["row 2, column A", "2015-01-21"]),
        (["2020-02-30", "2020-02-29"], ["row 2, column A", "it is no date", "day is out of range"]),
        (
            ["2022-06-03 10:00", "2022-06-03 10:00+02:00", "2022-06-03 11:00"],
            ["row 3", "time zone"],
        ),
    ],
)
def test_times_that_cannot_be_told(table, cells, fragments):
    text = "time,A\n" + "".join(f"{cell},1\n" for cell in cells)
    with pytest.raises(DataError) as caught:
        load_measurements(table(text))
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_clock_times_in_the_long_layout(table):
    m = load_measurements(table("time,observable,value\n0:30:00,A,1\n1:00:00,A,2\n"))
    assert (m.times.tolist(), m.time_unit) == ([0.5, 1.0], "h")


def test_a_clock_that_goes_back_is_said(table):
    m = load_measurements(table("time,A\n23:50:00,1\n0:10:00,2\n"))
    assert m.times.tolist() == pytest.approx([1 / 6, 23 + 5 / 6])
    assert any("row 3: the time goes back from 23:50:00 to 0:10:00" in note for note in m.notes)
    m = load_measurements(table("time,A\n0:10:00,1\n23:50:00,2\n23:40:00,2\n"))
    assert not any("goes back" in note for note in m.notes)


@pytest.mark.parametrize("label", ["condition", "replicate", "observable"])
def test_a_clock_that_begins_again_with_another_label_does_not_go_back(table, label):
    names = ["time", label, "value" if label == "observable" else "A"]
    rows = [f"{t},{x},1" for x in ("a", "b") for t in ("0:00:00", "0:10:00", "0:20:00")]
    path = table("\n".join([",".join(names), *rows, ""]))
    assert not any("goes back" in note for note in load_measurements(path).notes)
    path = table("\n".join([",".join(names), *rows, "0:01:00,b,2", ""]))
    assert any("row 8: the time goes back" in note for note in load_measurements(path).notes)
