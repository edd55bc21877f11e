// sharp making thumbnails as a Node service would: `node sharp_peer.js FOLDER [--reps N] [--min-ms M] [--out DIR]`.
// Prints what measure.py reads of the `render` benchmark's JSON lines. One thread; CPU time is that of the whole process.
const fs = require("fs");
const path = require("path");
const sharp = require("sharp");

sharp.concurrency(1);
sharp.cache(false);

const words = process.argv.slice(2);
const option = (name, otherwise) => (words.includes(name) ? words[words.indexOf(name) + 1] : otherwise);
const [folder, reps, minMs, out] = [words[0], +option("--reps", 7), +option("--min-ms", 60), option("--out", null)];

const cpuMs = () => {
  const usage = process.resourceUsage();
  return (usage.userCPUTime + usage.systemCPUTime) / 1e3;
};

const thumbnail = (source) =>
  sharp(source, { limitInputPixels: false })
    .rotate()
    .resize(128, 128, { fit: "inside", withoutEnlargement: true })
    .png()
    .toBuffer({ resolveWithObject: true });

async function measure(file) {
  const source = fs.readFileSync(path.join(folder, file));
  let started = cpuMs();
  let made = await thumbnail(source);
  const count = Math.max(1, Math.floor(minMs / Math.max(cpuMs() - started, 0.01)));
  const times = [];
  while (times.length < reps) {
    started = cpuMs();
    for (let n = 0; n < count; n++) made = await thumbnail(source);
    times.push((cpuMs() - started) / count);
  }
  times.sort((a, b) => a - b);
  if (out) {
    fs.mkdirSync(out, { recursive: true });
    fs.writeFileSync(path.join(out, `${file}.png`), made.data);
  }
  return {
    file,
    cpu_ms_median: times[times.length >> 1],
    out_w: made.info.width,
    out_h: made.info.height,
    out_bytes: made.data.length,
    maxrss_kb: process.resourceUsage().maxRSS,
  };
}

(async () => {
  for (const file of fs.readdirSync(folder).sort()) {
    const line = await measure(file).catch((error) => ({ file, error: String(error) }));
    console.log(JSON.stringify(line));
  }
})();
