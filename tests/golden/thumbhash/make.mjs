// Makes pictures of at most 32x32 and their hashes by the format's own package: src/render/placeholder/thumbhash.rs compares.
// A digit that hangs on the last bit of a cosine, as libraries differ in it, is "?".
//
//     npm install --no-save thumbhash@0.1.1 pngjs@7.0.0 && node tests/golden/thumbhash/make.mjs

import { readFileSync, writeFileSync } from "node:fs";

import pngjs from "pngjs";
import { rgbaToThumbHash } from "thumbhash";

const file = (name) => new URL(name, import.meta.url);
const photo = pngjs.PNG.sync.read(readFileSync(file("../../photos/launch.thumbnail.png")));

/** The mean of the photograph's pixels in a cell of a grid of so many cells. */
function cell(x, y, width, height) {
  const sums = [0, 0, 0];
  const [left, right] = [x, x + 1].map((at) => Math.floor((at * photo.width) / width));
  const [top, bottom] = [y, y + 1].map((at) => Math.floor((at * photo.height) / height));
  for (let row = top; row < bottom; row++)
    for (let column = left; column < right; column++)
      sums.forEach((_, channel) => (sums[channel] += photo.data[4 * (row * photo.width + column) + channel]));
  return sums.map((sum) => Math.round(sum / ((right - left) * (bottom - top))));
}

const grey = ([red, green, blue]) => Array(3).fill(Math.round((red + green + blue) / 3));
const noise = (seed) => Math.imul(seed ^ (seed >>> 4), 2654435761) >>> 24;
const gradient = (x, y, width, height) => [
  Math.round((255 * x) / width), Math.round((255 * y) / height), Math.round(255 - (255 * x) / width),
];
const disc = (x, y, width, height) => (Math.hypot(x / width - 0.5, y / height - 0.5) < 0.4 ? 255 : 0);
const [RGB, GREY, RGBA, GREY_ALPHA] = [2, 0, 6, 4]; // PNG's colour types

// Name, size, colour type and the pixel at a place, with alpha or without.
const CASES = [
  ["photo-square", 32, 32, RGB, cell],
  ["photo-landscape", 32, 24, RGB, cell],
  ["photo-portrait", 18, 32, RGB, cell],
  ["photo-strip", 32, 3, RGB, cell],
  ["photo-tiny", 5, 4, RGB, cell],
  ["photo-grey", 32, 24, GREY, (...at) => grey(cell(...at))],
  ["photo-grey-portrait", 21, 32, GREY, (...at) => grey(cell(...at))],
  ["photo-disc", 32, 32, RGBA, (...at) => [...cell(...at), disc(...at)]],
  ["photo-fading", 32, 24, RGBA, (x, y, width, height) => [...cell(x, y, width, height), 255 - 8 * x]],
  ["photo-fading-portrait", 24, 32, RGBA, (x, y, width, height) => [...cell(x, y, width, height), 4 * y]],
  ["photo-grey-disc", 32, 20, GREY_ALPHA, (...at) => [...grey(cell(...at)), disc(...at)]],
  ["photo-one-clear-pixel", 31, 29, RGBA, (x, y, width, height) => [...cell(x, y, width, height), x + y ? 255 : 254]],
  ["gradient", 32, 17, RGB, gradient],
  ["gradient-half-clear", 30, 32, RGBA, (...at) => [...gradient(...at), 128]],
  ["noise", 32, 32, RGB, (x, y) => [0, 1, 2].map((channel) => noise(3 * (32 * y + x) + channel))],
  ["noise-clear", 32, 31, RGBA, (x, y) => [0, 1, 2, 3].map((channel) => noise(4 * (32 * y + x) + channel))],
  ["noise-grey", 29, 32, GREY, (x, y) => Array(3).fill(noise(32 * y + x))],
  ["stripes", 32, 32, RGB, (x) => (x & 4 ? [250, 20, 60] : [10, 200, 90])],
  ["checks-grey-clear", 16, 16, GREY_ALPHA, (x, y) => [...Array(3).fill(40 + 9 * x), (x ^ y) & 4 ? 255 : 60]],
  ["column", 1, 32, RGB, (_, y) => [8 * y, 40, 200 - 6 * y]],
  ["one-pixel", 1, 1, RGB, () => [200, 100, 50]],
  ["one-colour", 32, 32, RGB, () => [17, 130, 201]],
  ["white", 8, 8, GREY, () => [255, 255, 255]],
  ["clear", 12, 9, RGBA, () => [90, 80, 70, 0]],
];

const hex = (...picture) => Buffer.from(rgbaToThumbHash(...picture)).toString("hex");

/** The hash in hexadecimal digits, with "?" for each that changes where cosines are a bit larger or smaller. */
function hash(...picture) {
  const digits = [...hex(...picture)];
  const { cos } = Math;
  for (let trial = 0, seed = 0; trial < 300; trial++) {
    Math.cos = (angle) => cos(angle) * (1 + ((noise(seed++) % 3) - 1) * Number.EPSILON);
    [...hex(...picture)].forEach((digit, at) => digit === digits[at] || (digits[at] = "?"));
  }
  Math.cos = cos;
  return digits.join("");
}

const lines = CASES.map(([name, width, height, colorType, pixel]) => {
  const data = Buffer.alloc(4 * width * height, 255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set(pixel(x, y, width, height), 4 * (y * width + x));
  const picture = Object.assign(new pngjs.PNG({ width, height }), { data });
  writeFileSync(file(`${name}.png`), pngjs.PNG.sync.write(picture, { colorType, inputHasAlpha: true }));
  return `${name}\t${hash(width, height, data)}\n`;
});
writeFileSync(file("hashes.tsv"), lines.join(""));
