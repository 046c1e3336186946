#!/bin/bash
# A grid of 24 cells under a real SLURM of one node, of which random ranks are killed: it must end by itself, with the
# bytes of the same grid on this machine without SLURM and without a kill. As root.
#   grid.sh PROGRAM [KILLS]     10 kills; cmake --build build/release --target grid: ten minutes
# At the end what it took: seconds of all starts, those that kills have cost, and what sharing models has saved.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
# shellcheck source=tests/cluster/lib.sh
. "$source_dir/tests/cluster/lib.sh"

kills=${2:-10}
seed=${MOPO_GRID_SEED:-$RANDOM}
RANDOM=$seed
cp -r "$source_dir/slurm" .
for place in here cluster; do
    cat >$place.yaml <<END
base: $source_dir/configs/task/hopper.yaml
set:
  dataset: hopper-random.hdf5
  collect.rows: 20000
  model.max_epochs: 6
  train.epochs: 3
  train.updates_per_epoch: 500
  rollout.batch: 5000
  eval.episodes: 5
grid:
  penalty.lambda: [0, 0.5, 1, 5]
  rollout.horizon: [1, 5]
  seed: 0..2
END
done

# seconds FOLDER: from the marks in a sweep's logs: of all starts, and of those that did not end with `done`.
seconds() {
    local file kind code verdict from=0 all=0 lost=0 one two
    for file in "runs/$1"/logs/*.txt; do
        while read -r _ kind one two code _; do
            case $kind in
            start) from=$(date -d "$one" +%s) ;;
            end)
                verdict=$two
                all=$((all + $(date -d "$code" +%s) - from))
                [ "$verdict" = 'done' ] || lost=$((lost + $(date -d "$code" +%s) - from))
                ;;
            esac
        done < <(grep -a '^# \(start\|end\) ' "$file")
    done
    echo "$all $lost"
}

running() {
    pgrep -f "^$program (train|model fit|collect) .*cluster/"
}

# A rank every few seconds, of whatever runs then.
kill_some() {
    local made=0 victims
    while [ $made -lt "$kills" ] && ! all_done; do
        sleep $((5 + RANDOM % 20))
        mapfile -t victims < <(running)
        [ ${#victims[@]} -gt 0 ] || continue
        kill -KILL "${victims[RANDOM % ${#victims[@]}]}" 2>/dev/null && made=$((made + 1))
    done
    echo "# seed $seed, $made kills"
    [ $made -eq "$kills" ]
}

# shellcheck disable=SC2317 # it is called
all_done() {
    mopo_on 0 status runs/cluster
}

begin=$SECONDS
exits 0 0 sweep here.yaml --local 1
verdict "24 cells on this machine: $((SECONDS - begin)) s" $?

begin_slurm 0
mv hopper-random.hdf5 kept.hdf5
begin=$SECONDS
exits 0 0 sweep cluster.yaml --slurm --ranks 1 --at-once 2
verdict 'the grid is submitted' $?
kill_some
verdict "$kills kills" $?
for ((tries = 0; tries < 900; tries++)); do
    ! all_done || break
    sleep 2
done
all_done
verdict "all cells are done without an act of ours: $((SECONDS - begin)) s" $?
tail -n 1 out
check 'the same dataset' cmp kept.hdf5 hopper-random.hdf5
for run in runs/here/lambda*; do
    check "$(basename "$run"): same bytes" same_run "$run" "runs/cluster/$(basename "$run")"
done
check 'three models for 24 cells' test "$(find runs/cluster/models -name model.h5 | wc -l)" -eq 3
for place in here cluster; do
    read -r all lost < <(seconds $place)
    echo "# $place: $all s in all starts of its jobs, $lost of them in starts that were killed"
done
finish
