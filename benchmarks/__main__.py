"""`python -m benchmarks`: prepares, measures and reports; `… generate` only writes the invented records."""

import argparse
import os
from pathlib import Path

from benchmarks import generate


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    verbs = parser.add_subparsers(dest="verb")
    writing = verbs.add_parser("generate", help="write invented records as NDJSON and as a database for the peers")
    for one in (parser, writing):
        one.add_argument("--home", type=Path, default=Path(os.environ.get("BENCH_HOME", "var/bench")))
        one.add_argument("--n", type=int, default=1_000_000, help="how many incidents (default: %(default)s)")
    chosen = parser.parse_args()
    chosen.home.mkdir(parents=True, exist_ok=True)
    if chosen.verb == "generate":
        generate.write_vocabulary(chosen.home / "vocabulary.ndjson")
        generate.write_incidents(chosen.home / "incidents.ndjson", 0, chosen.n)
        generate.write_database(chosen.home / "peers.db", chosen.n)


if __name__ == "__main__":
    main()
