// sharp making renditions as a Node service would: `node sharp_renditions.js FILE extension|best FORMAT SIZE,... REPS OUT`.
// Prints a JSON line with the CPU time of all sizes together, of the whole process, and its peak memory.
const fs = require("fs");
const path = require("path");
const sharp = require("sharp");

sharp.concurrency(1);
sharp.cache(false);

const [file, way, format, sizes, reps, out] = process.argv.slice(2);
const boxes = sizes.split(",").map(Number);
const box = (size) => [size, size, { fit: "inside", withoutEnlargement: true }];
// sharp's PNG has a palette where it has a quality.
const coded = (image) => image.toFormat(format, format === "png" ? {} : { quality: 80 }).toBuffer();

const ways = {
  // As the Firebase extension storage-resize-images does it: each size from the file, in the source's format, then
  // converted, then written through sharp once more.
  async extension() {
    const made = [];
    for (const size of boxes) {
      const resized = await sharp(file, { failOn: "none" }).rotate().resize(...box(size)).toBuffer();
      made.push(await sharp(await coded(sharp(resized))).toBuffer());
    }
    return made;
  },
  // One decode to the largest size, and the others from its pixels.
  async best() {
    const largest = sharp(fs.readFileSync(file)).rotate().resize(...box(Math.max(...boxes))).raw();
    const { data, info } = await largest.toBuffer({ resolveWithObject: true });
    const raw = { width: info.width, height: info.height, channels: info.channels };
    const made = [];
    for (const size of boxes) made.push(await coded(sharp(data, { raw }).resize(...box(size))));
    return made;
  },
};

const cpuMs = () => {
  const usage = process.resourceUsage();
  return (usage.userCPUTime + usage.systemCPUTime) / 1e3;
};

(async () => {
  // Not measured: sharp's code is read and made ready.
  let made = +reps > 0 ? await ways[way]() : [];
  const times = [];
  while (times.length < Math.max(+reps, 1)) {
    const started = cpuMs();
    made = await ways[way]();
    times.push(cpuMs() - started);
  }
  times.sort((a, b) => a - b);
  boxes.forEach((size, n) => {
    fs.mkdirSync(path.join(out, `${size}`), { recursive: true });
    fs.writeFileSync(path.join(out, `${size}`, path.basename(file)), made[n]);
  });
  console.log(JSON.stringify({ cpu_ms: times[times.length >> 1], maxrss_kb: process.resourceUsage().maxRSS }));
})();
