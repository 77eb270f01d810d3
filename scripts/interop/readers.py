# Reads the files of reader-files.ts with what PyPI has, takes in what java/Readers.java printed, and writes a table of what each
# reader makes of each file. readers.py FOLDER TABLE.md [JAVA.jsonl]
# Values are compared by what is expected: readers give the same thing as different classes.
import datetime
import decimal
import json
import math
import os
import sys

folder = sys.argv[1]
expected = json.load(open(os.path.join(folder, "expected.json")))
EPOCH = datetime.datetime(1970, 1, 1)


def micros(value, unit):
    """Microseconds since the epoch, or since midnight, of whatever a reader gives."""
    if value is None or isinstance(value, bool):
        return None
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime()
    if hasattr(value, "astype"):
        return int(value.astype("datetime64[us]").astype("int64"))
    if isinstance(value, int):
        return value * 1000 if unit == "millis" else value
    if isinstance(value, str):
        value = (datetime.datetime if "-" in value else datetime.time).fromisoformat(value)
    if isinstance(value, datetime.time):
        value = datetime.datetime.combine(EPOCH.date(), value)
    if isinstance(value, datetime.timedelta):
        return value // datetime.timedelta(microseconds=1)
    if value.tzinfo is not None:
        value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return (value - EPOCH) // datetime.timedelta(microseconds=1)


def missing(value):
    if value is None:
        return True
    if type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def same(want, got):
    if want is None:
        return missing(got)
    if isinstance(want, bool):
        return bool(got) is want
    if isinstance(want, str):
        return str(got) == want
    if hasattr(got, "tolist") and not isinstance(want, dict):
        got = got.tolist()
    if isinstance(want, list):
        return got is not None and len(got) == len(want) and all(map(same, want, got))
    kind, value = next(iter(want.items()))
    if kind == "int":
        return not missing(got) and int(got) == int(value)
    if kind == "double":
        want, got = float(value.replace("Infinity", "inf")), float(got if got is not None else "nan")
        return want == got or (math.isnan(want) and math.isnan(got))
    if kind == "bytes":
        return (got.encode("latin1") if isinstance(got, str) else bytes(got)).hex() == value
    if kind == "decimal":
        return decimal.Decimal(str(got)) == decimal.Decimal(value)
    if kind == "date":
        if isinstance(got, str):
            got = datetime.date.fromisoformat(got)
        if hasattr(got, "to_pydatetime"):
            got = got.to_pydatetime()
        days = got if isinstance(got, int) else (got - (EPOCH.date() if not isinstance(got, datetime.datetime) else EPOCH)).days
        return days == int(value)
    if kind in ("timestamp", "time"):
        return micros(got, want["unit"]) == int(value)
    if kind == "map":
        got = dict(got) if not isinstance(got, dict) else got
        if set(got) == {"key", "value"} and isinstance(got["key"], list):
            got = dict(zip(got["key"], got["value"]))
        return set(got) == set(value) and all(same(value[key], got[key]) for key in value)
    if "member0" in value and not isinstance(got, dict) and not hasattr(got, "_asdict"):
        # Avro's own reader gives the value of a union, not the group that it is stored as.
        members = [member for member in value.values() if member is not None]
        return len(members) == 1 and same(members[0], got)
    fields = got if isinstance(got, dict) else got._asdict() if hasattr(got, "_asdict") else dict(got)
    return set(fields) == set(value) and all(same(value[name], fields[name]) for name in value)


def pairs(got):
    """polars gives a map as a list of its entries."""
    return {entry["key"]: entry["value"] for entry in got}


def with_maps(want, got):
    """Maps that are lists of entries, made dictionaries where a map is expected."""
    if got is None or want is None:
        return got
    if isinstance(want, list) and hasattr(got, "__len__"):
        return [with_maps(w, g) for w, g in zip(want, got)] if len(want) == len(got) else got
    if isinstance(want, dict) and "map" in want and isinstance(got, list) and all(isinstance(entry, dict) and set(entry) == {"key", "value"} for entry in got):
        return pairs(got)
    return got


def pyarrow_rows(path):
    import pyarrow.parquet
    return pyarrow.parquet.read_table(path).to_pylist()


def pandas_rows(path):
    import pandas
    return pandas.read_parquet(path, dtype_backend="pyarrow").to_dict("records")


def polars_rows(path):
    import polars
    return polars.read_parquet(path).to_dicts()


def fastparquet_rows(path):
    import fastparquet
    return fastparquet.ParquetFile(path).to_pandas().to_dict("records")


def duckdb_rows(path):
    import duckdb
    cursor = duckdb.connect()
    cursor.execute("SET TimeZone = 'UTC'")
    return [{"x": row[0]} for row in cursor.execute("SELECT x FROM read_parquet(?)", [path]).fetchall()]


def chdb_rows(path):
    import chdb
    settings = "SETTINGS output_format_json_quote_64bit_integers = 0, output_format_json_quote_denormals = 1, output_format_json_quote_decimals = 1, session_timezone = 'UTC'"
    text = chdb.query(f"SELECT * FROM file('{path}', Parquet) {settings}", "JSONEachRow").bytes()
    return [json.loads(line) for line in text.decode("latin1" if "bytes" in path or "fixed" in path else "utf-8").splitlines()]


spark = None


def spark_rows(path):
    global spark
    if spark is None:
        from pyspark.sql import SparkSession
        os.environ["TZ"] = "UTC"
        options = {"spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false", "spark.driver.memory": "2g"}
        builder = SparkSession.builder.master("local[1]")
        for name, value in options.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("OFF")
    return [row.asDict(recursive=True) for row in spark.read.parquet(path).collect()]


READERS = {
    "pyarrow": pyarrow_rows,
    "pandas": pandas_rows,
    "polars": polars_rows,
    "duckdb": duckdb_rows,
    "chdb": chdb_rows,
    "fastparquet": fastparquet_rows,
    "pyspark": spark_rows,
}


def verdict(read, path, rows):
    try:
        got = read(path)
    except Exception as error:
        return f"fails: {type(error).__name__}: {str(error).splitlines()[0][:100] if str(error) else ''}"
    if len(got) != len(rows):
        return f"{len(got)} of {len(rows)} rows"
    for index, (want, row) in enumerate(zip(rows, got)):
        try:
            value = with_maps(want["x"], row.get("x"))
            if not same(want["x"], value):
                return f"differs: {str(value)[:60]}"
        except Exception as error:
            return f"differs: {type(error).__name__} {str(row)[:60]}"
    return "reads"


def java_rows(path):
    """Reader to file to a function that gives the rows, or fails as the reader did."""
    readers = {}
    for line in open(path):
        one = json.loads(line)
        readers.setdefault(one["reader"], {})[one["file"]] = one
    return readers


class ReaderFailed(Exception):
    pass


def given(one):
    if "error" in one:
        raise ReaderFailed(one["error"])
    return one["rows"]


from importlib.metadata import version

results = {}
for name, read in READERS.items():
    results[f"{name} {version(name)}"] = {one["about"]: verdict(read, os.path.abspath(os.path.join(folder, one["file"])), one["rows"]) for one in expected}
for name, files in (java_rows(sys.argv[3]) if len(sys.argv) > 3 else {}).items():
    results[name] = {one["about"]: verdict(lambda _path: given(files[one["file"]]), "", one["rows"]) for one in expected}

notes = []
lines = ["| file | " + " | ".join(results) + " |", "|---|" + ":-:|" * len(results)]
for one in expected:
    cells = []
    for name, found in results.items():
        if found[one["about"]] == "reads":
            cells.append("yes")
        else:
            notes.append(f"{name}, {one['about']}: {found[one['about']]}")
            cells.append(f"no ({len(notes)})")
    lines.append(f"| {one['about']} | " + " | ".join(cells) + " |")
with open(sys.argv[2], "w") as table:
    table.write("\n".join(lines) + "\n\n")
    table.write("".join(f"{number}. {note.replace('|', '/')}\n" for number, note in enumerate(notes, 1)))
for name, found in results.items():
    print(f"{name}: reads {sum(value == 'reads' for value in found.values())} of {len(found)}")
