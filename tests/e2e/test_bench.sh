#!/bin/bash
# mopo bench: what it measures, as JSON; and each mistake with its exit code. Nothing here looks at how long anything took.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cat >has.py <<'PYTHON'
"""has.py FILE NAME ...: FILE is a report whose rows have these names, and numbers that can be."""
import json
import sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
rows = {row["name"]: row for row in report["rows"]}
missing = [name for name in sys.argv[2:] if name not in rows]
assert not missing, missing
assert len(rows) == len(report["rows"]), "a name stands twice"
for key in ("version", "commit", "compiler", "cpu", "blas", "mpi"):
    assert report[key], key
assert report["bench_format"] == 1 and report["ranks"] >= 1
large = report["large_product_flops_per_second"]
assert large > 0
for name, row in rows.items():
    assert row["seconds"] > 0 and row["unit"], name
    assert (row["floor_seconds"] > 0) == (row["floor"] != ""), name
    assert (row["flops"] > 0) == (row["floor"] == "products alone"), name
    assert abs(row["flops"] / row["seconds"] - row["flops_per_second"]) <= 1e-4 * row["flops_per_second"], name
    assert abs(row["flops_per_second"] / large - row["share_of_large_product"]) <= 1e-4, name
# Products are counted: 2 M N K, forward and backward.
update = rows.get("sac update 17/6, 1 shard")
assert update is None or 4e8 < update["flops"] < 8e8, update
PYTHON

updates=()
for size in 17/6 11/3 27/8 111/8; do
    updates+=("sac update $size, 1 shard" "sac update $size, 4 shards")
done
exits 0 0 bench --quick --json --only update
verdict 'updates' $?
cp out updates.json
check 'are in the report, with numbers' python3 has.py updates.json "${updates[@]}" 'bear update 17/6, 4 shards'
check 'and nothing else' test "$(grep -c '"name"' updates.json)" -eq "$(grep -c '"name": ".* update ' updates.json)"

exits 0 2 bench --quick --json
verdict 'everything on two ranks' $?
cp out all.json
check 'is in the report' python3 has.py all.json "${updates[@]}" 'ensemble step 17/6' \
    'ensemble step 17/6, 1 shard' 'ensemble step 17/6, spectral norm' 'rollout step 17/6, 7 members' 'evaluation step' 'collection step' \
    'dataset load, gzip' 'dataset load, plain' 'exchange policy with all workers' 'exchange records of a unit' \
    'exchange members of the ensemble' 'exchange gradient tree, 2 learners' 'exchange barrier' 'exchange agreement'
exits 0 3 bench --quick --only exchange
verdict 'exchanges of three ranks' $?
check 'are printed once' test "$(grep -c '^exchange barrier' out)" -eq 1
exits 0 0 bench --quick --only evaluation
verdict 'one row' $?
check 'with what is left out' grep -q 'Left out: exchanges between ranks' out

exits 0 0 bench --compare updates.json all.json
verdict 'two reports compared' $?
check 'rows of one alone are named' grep -q '^only now: exchange barrier' out
check 'and the other number of ranks' grep -q '^other number of ranks: then 1, now 2' out
exits 0 2 bench --quick --only 'bc update' --compare updates.json
verdict 'a report compared with now, 2 ranks' $?
check 'with ratios' grep -qE '^bc update 17/6, 4 shards +update .* [0-9.]+ +[0-9.]+$' out
check 'and no other rows' test "$(grep -c update out)" -eq 1

# fails CODE RANKS TEXT ARGUMENTS...: it ends with this code and says TEXT.
fails() {
    local code=$1 ranks=$2 text=$3
    shift 3
    exits "$code" "$ranks" "$@" && grep -qF -- "$text" err
    verdict "$* on $ranks" $?
}

echo '{"epoch": 1}' >metrics.json
echo '{"bench_format": 1, "rows": [' >cut.json
fails 76 0 'metrics.json: not what' bench --compare metrics.json
fails 76 2 'cut.json' bench --compare cut.json
fails 1 0 'nofile.json' bench --compare nofile.json
fails 2 2 'no row has this in its name' bench --quick --only nothing
fails 2 0 'also those of exchanges' bench --quick --only exchange
fails 2 0 '--compare needs a value' bench --compare
fails 2 0 '--json cannot stand beside --compare' bench --json --compare all.json
fails 2 0 'a file is read only to --compare it' bench all.json
fails 2 0 'nothing is measured' bench --quick --compare all.json updates.json
fails 2 0 'did you mean --quick' bench --quik
check 'no file is left behind' test -z "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -name 'mopo-bench-*' -newer has.py 2>/dev/null)"
finish
