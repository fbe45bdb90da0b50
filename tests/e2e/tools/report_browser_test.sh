#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A report as a browser shows it, on a phone, on a desk and in print: nothing is fetched, no script fails, nothing sticks out of the
# page, texts of figures are legible and apart, and the screenshots show the figures' colours between blank margins.
set -euo pipefail

for program in chromium gnuplot; do
  if ! command -v $program > /dev/null; then echo "skipped: $program is not installed"; exit 77; fi
done
fail() {
  echo "FAILED: $1" >&2
  tail -n 30 output | cut -c 1-500 | sed 's/^/    | /' >&2
  exit 1
}

# --- pages with every kind of section ---

# Two studies of 1 to 8 ranks on four nodes, one over slow links: USL with contention, communication that grows with the nodes.
write_study() {  # write_study FOLDER BYTES_PER_SECOND
  mkdir "$1"
  echo "[study]" > "$1/study.ini"
  printf '[{"started": "2025-01-31T12:00:00Z", "versions": {"whorl": "0.1.0"}, "ranks": [{"host": "n1", "cpus": "0-15"}, {"host": "n2", "cpus": "0-15"}],
    "between_nodes": {"latency_seconds": 5e-05, "bytes_per_second": %s}}]' "$2" > "$1/starts.json"
  {
    echo "workload,scaling,placement,ranks,nodes,threads,batch,all_reduce,repeat,pictures,seconds,compute,communication,input,waiting,other,all_reduce_ran,all_reduce_steps,all_reduce_bytes,started,start"
    for point in "packed 1 1" "packed 2 1" "packed 4 2" "packed 8 4" "spread 2 2" "spread 4 4"; do
      for factors in "strong ring" "weak ring" "weak mpi"; do
        for repeat in 1 2 3; do echo "$point $factors $repeat"; done
      done
    done | awk -v bandwidth="$2" '{
      weak = $4 == "weak"; batch = weak ? 500 * $2 : 500; noise = 1 + 0.01 * ($6 - 2)
      compute = 0.2 * batch / $2 * (1 + 0.02 * ($2 - 1)) * noise / 100
      communication = ($3 - 1) * 3e6 / bandwidth * noise + ($2 > 1) * 0.01 * ($5 == "mpi")
      printf "train,%s,%s,%d,%d,1,%d,%s,%d,%d,%.6f,%.6f,%.6f,0.010000,0.020000,0.005000,%s,20,6000000,2025-01-31T12:00:00Z,1\n",
        $4, $1, $2, $3, batch, $5, $6, 10 * batch, compute + communication + 0.035, compute, communication, $5 }'
  } > "$1/rows.csv"
}
write_study a_study_with_a_long_name_on_fast_links 1.2e9
write_study on_slow_links 1.2e7
"$WHORL_BIN"/whorl-synth --output flowers.tar --per-class 20 --size 24 > output 2>&1
"$WHORL_BIN"/whorl-ingest --input flowers.tar --output flowers.h5 --size 16 > output 2>&1
printf '[train]\nepochs = 2\nbatch = 20\nshard = 5\n[optimizer]\nlearning_rate = 0.01\n' > small.ini
for run in one_run another_run; do
  mpirun -n 2 "$WHORL_BIN"/whorl-train --job small.ini --data flowers.h5 --run $run > output 2>&1 || fail "training"
done
# Bars just below 0.05 s, where gnuplot sets the most ticks.
for phase in forward backward optimizer "all-reduce exposed" "rank wait" "input wait" evaluate other; do
  echo "\"$phase\": {\"min\": 0.0059, \"mean\": 0.006, \"max\": 0.006, \"slowest_rank\": 1, \"slowest_host\": \"n1\", \"per_rank\": [0.0059, 0.006]}"
done | paste -s -d , | sed 's/.*/{"total": {&}}/' > another_run/timing.json
"$WHORL_BIN"/whorl-readbench --source pixels=flowers.h5 --source raw=flowers.h5 --batch 4,8 --batches 2,4 --repeat 2 --order shuffled \
  --output reading > output 2>&1 || fail "reading"
"$WHORL_BIN"/whorl-report a_study_with_a_long_name_on_fast_links on_slow_links one_run another_run reading --output report.html > output 2>&1 ||
  fail "the report"
sed 's/@media print/@media all/' report.html > print.html

# --- the layout, as the browser computes it ---

cat > judge_layout.js <<'SCRIPT'
const problems = [], width = document.documentElement.clientWidth, is_print = location.pathname.endsWith("print.html");
window.onerror = text => problems.push("script error: " + text);
const say = (what, element) => problems.push(what + ": " + (element.textContent || element.tagName).trim().slice(0, 60));
if (document.documentElement.scrollWidth > width) problems.push("the page is wider than the screen");
for (const box of document.querySelectorAll(".scroll"))
  if (is_print && box.scrollWidth > box.clientWidth + 1) say("a table is cut off in print", box.previousElementSibling);
for (const link of document.querySelectorAll("details a"))
  if (!link.textContent || link.getBoundingClientRect().height === 0) say("no link to raw data to be seen", link);
for (const figure of document.querySelectorAll("figure")) {
  const frame = figure.querySelector("svg").getBoundingClientRect(), texts = [...figure.querySelectorAll("svg text")];
  const boxes = texts.map(text => text.getBoundingClientRect());
  boxes.forEach((box, i) => {
    if (box.width === 0) return;
    const scale = texts[i].getScreenCTM(), size = parseFloat(getComputedStyle(texts[i]).fontSize) * Math.hypot(scale.a, scale.b);
    if (size < 8) say("text of " + size.toFixed(1) + " pixels", texts[i]);
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
      say("text is cut off in the figure " + figure.querySelector("figcaption").textContent.slice(0, 30), texts[i]);
    for (let j = 0; j < i; ++j) {
      const across = Math.min(box.right, boxes[j].right) - Math.max(box.left, boxes[j].left);
      const down = Math.min(box.bottom, boxes[j].bottom) - Math.max(box.top, boxes[j].top);
      if (across > 2 && down > 0.4 * Math.min(box.height, boxes[j].height)) say("texts lie on each other", texts[i]);
    }
  });
}
for (const element of document.querySelectorAll("[src], link, object, image")) say("something is fetched", element);
onload = () => document.title = "judged " + Math.ceil(document.body.getBoundingClientRect().height) + " " + (problems.slice(0, 5).join("; ") || "good");
SCRIPT

browse() { timeout 200 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --enable-logging=stderr "$@" 2> output; }
title_of() { sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' "$1" | head -n 1; }

layout() {  # layout PAGE WIDTH: sets `height` to what is to be looked at of the page
  local verdict
  { sed 's#</body></html>##' "$1"; echo "<script>"; cat judge_layout.js; echo "</script></body></html>"; } > "judged/$1"
  browse --window-size="$2",900 --dump-dom "file://$PWD/judged/$1" > dom.html || fail "chromium, $1 at $2 pixels"
  if grep -q "CONSOLE" output; then fail "the browser reports errors"; fi
  verdict=$(title_of dom.html)
  [[ $verdict =~ ^judged\ ([0-9]+)\ good$ ]] || fail "$1 at $2 pixels: $verdict"
  height=$((BASH_REMATCH[1] < 8000 ? BASH_REMATCH[1] : 8000))
}

# --- the pixels, on a canvas ---

cat > judge_pixels.js <<'SCRIPT'
const shot = document.getElementById("shot"), canvas = document.createElement("canvas"), problems = [];
const width = canvas.width = shot.naturalWidth, height = canvas.height = shot.naturalHeight;
const context = canvas.getContext("2d");
context.drawImage(shot, 0, 0);
const at = context.getImageData(0, 0, width, height).data;
const colours = {blue: [0x1f, 0x5f, 0xa8], orange: [0xd1, 0x61, 0x1f], green: [0x2f, 0x8f, 0x5b]}, found = {blue: 0, orange: 0, green: 0};
let inked = 0, blank_rows = 0, most_blank_rows = 0, in_margin = 0;
for (let y = 0; y < height; ++y) {
  let ink = 0;
  for (let x = 0; x < width; ++x) {
    const i = 4 * (y * width + x);
    if (Math.min(at[i], at[i + 1], at[i + 2]) > 245) continue;
    ++ink;
    if (x < 8 || x >= width - 8) ++in_margin;
    for (const name in colours)
      if (colours[name].every((value, part) => Math.abs(at[i + part] - value) < 40)) ++found[name];
  }
  inked += ink;
  blank_rows = ink > 0 ? 0 : blank_rows + 1;
  most_blank_rows = Math.max(most_blank_rows, blank_rows);
}
for (const name in found) if (found[name] < 500) problems.push("only " + found[name] + " " + name + " pixels");
const share = 100 * inked / (width * height);
if (share < 2 || share > 40) problems.push(share.toFixed(1) + " % ink");
if (most_blank_rows > 150) problems.push(most_blank_rows + " blank rows");
if (in_margin > 0) problems.push(in_margin + " pixels of ink in the margins");
document.title = "judged " + width + " " + (problems.join("; ") || "good");
SCRIPT

pixels() {  # pixels PAGE WIDTH HEIGHT
  local verdict
  browse --window-size="$2,$3" --screenshot="$PWD/$2.png" "file://$PWD/$1" > dom.html || fail "a screenshot of $1 at $2 pixels"
  {
    printf '<title>not judged</title><img id="shot" src="data:image/png;base64,'
    base64 --wrap=0 "$2.png"
    printf '"><script>onload = () => {'
    cat judge_pixels.js
    printf '}</script>'
  } > pixels.html
  browse --dump-dom "file://$PWD/pixels.html" > dom.html || fail "judging the screenshot of $1"
  verdict=$(title_of dom.html)
  [ "$verdict" = "judged $2 good" ] || fail "the screenshot of $1 at $2 pixels: $verdict"
}

mkdir judged
layout print.html 718
for width in 390 1280; do
  layout report.html $width
  pixels report.html $width "$height"
done

# The judges do find what is wrong.
sed 's#<body>#<body><img src="report.html">#' report.html > wrong.html
if (layout wrong.html 390) 2> /dev/null; then fail "a page that fetches something passes"; fi
sed 's#<body>#<body><p style="width: 2000px; background: black">wide</p>#' report.html > wrong.html
if (layout wrong.html 390) 2> /dev/null; then fail "a page that is too wide passes"; fi
if (pixels wrong.html 390 "$height") 2> /dev/null; then fail "a screenshot with ink in its margin passes"; fi
