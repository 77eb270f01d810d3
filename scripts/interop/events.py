"""A day that events serve while batch runs commit it (P5), by processes that are killed at random: after all was sent and run
again DuckDB finds, in all files of the dataset, the rows of a batch run that nobody disturbed. Called by events.sh."""

import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb

derive, folder, seed, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
random.seed(seed)
world = folder / "world"
raw, live, reference = world / "raw", world / "live", world / "reference"


def command(name, *arguments, output=live):
    places = ["--metadata", folder / "raw", "--input", raw, "--output", output]
    return [derive, name, "ExampleStream", *arguments, *places, "--quiet"]


def begin(*arguments):
    return subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def batch(on_change):
    return command("batch", "--from", "20151028", "--on-change", on_change)


def rows(place):
    return f"(select * from read_parquet('{place}/**/*.parquet', hive_partitioning = true))"


def ask(question):
    return duckdb.sql(question).fetchall()[0][0]


def compact():
    """As told to: again while what came meanwhile is reported as late."""
    while True:
        ran = subprocess.run([*batch("replace"), "--force-unlock", "--json"], capture_output=True, text=True)
        if ran.returncode != 0:
            sys.exit(ran.stderr)
        if json.loads(ran.stdout)["partitions"][0]["state"] != "late":
            return


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"seed {seed}: {what}: {found}, expected {expected}; {world} is as it was")


def lay(count):
    shutil.rmtree(world, ignore_errors=True)
    source = folder / "raw" / "telemetry-2" / "20151028"
    names = sorted(path for path in source.rglob("*") if path.is_file())[:count]
    for path in names:
        target = raw / path.relative_to(folder / "raw")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return [raw / path.relative_to(folder / "raw") for path in names]


def undisturbed():
    """Events, then a batch run: the same count before and after."""
    objects = lay(10_000)
    subprocess.run(command("invoke", *objects, "--shape", "sqs"), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    parts = len(list(live.rglob("event-*.parquet")))
    before = ask(f"select count(*) from {rows(live)}")
    compact()
    after = ask(f"select count(*) from {rows(live)}")
    expect("event parts left", len(list(live.rglob("event-*.parquet"))), 0)
    expect("rows", after, before)
    print(f"{len(objects)} objects, {parts} event parts, {before} rows; after a batch run {after} rows")


def disturbed(round):
    objects = lay(24)
    running = [begin(*command("invoke", *objects[:12]))]
    time.sleep(random.random() * 0.3)
    running += [begin(*batch("fail")), begin(*command("invoke", *objects[6:18]))]
    time.sleep(random.random() * 0.5)
    changed = objects[0].with_name(".new")
    shutil.copy(objects[-1], changed)
    changed.rename(objects[0])
    running += [begin(*command("invoke", objects[0])), begin(*batch("replace")), begin(*command("invoke", *objects[12:]))]
    time.sleep(random.random() * 0.5)
    killed = [one for one in running if random.random() < 0.4]
    for one in killed:
        one.kill()
    for one in running:
        one.wait()
    begin(*command("invoke", *objects)).wait()
    compact()
    expect("exit of all events, sent again", begin(*command("invoke", *objects)).wait(), 0)
    subprocess.run(command("batch", "--from", "20151028", output=reference), check=True)
    difference = f"select count(*) from ({rows(live)} except all {rows(reference)})"
    expect("rows", ask(f"select count(*) from {rows(live)}"), ask(f"select count(*) from {rows(reference)}"))
    expect("rows that differ", ask(difference), 0)
    files = sorted(path.name for path in live.rglob("*") if path.is_file())
    expect("files", files, ["_SUCCESS", "part-0-00000.zstd.parquet"])
    expect("exit of verify", begin(derive, "verify", live).wait(), 0)
    print(f"round {round}: {len(killed)} of {len(running)} killed, all as undisturbed")


undisturbed()
for round in range(rounds):
    disturbed(round)
shutil.rmtree(world)
