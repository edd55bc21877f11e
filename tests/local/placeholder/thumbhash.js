// A decoder of ThumbHash that shares nothing with the service's encoder: https://evanw.github.io/thumbhash/ has the format.

const SIDE = 32; // of the decoded picture's longer side
const SATURATION = 1.25; // The format has decoders make up for what rounding takes.

/** The pixels of a hash, not premultiplied. */
export function decode(hash) {
  let position = 0; // in bits, from each byte's lowest on
  const take = (count) => {
    let value = 0;
    for (let bit = 0; bit < count; bit++, position++) value |= ((hash[position >> 3] >> (position & 7)) & 1) << bit;
    return value;
  };
  const [luma, yellowBlue, redGreen] = [take(6) / 63, take(6) / 31.5 - 1, take(6) / 31.5 - 1];
  const lumaScale = take(5) / 31;
  const hasAlpha = take(1);
  const shorter = take(3);
  const [yellowBlueScale, redGreenScale] = [take(6) / 63, take(6) / 63];
  const isLandscape = take(1);
  const [alpha, alphaScale] = hasAlpha ? [take(4) / 15, take(4) / 15] : [1, 0];

  const longer = hasAlpha ? 5 : 7;
  const [across, down] = isLandscape ? [longer, shorter] : [shorter, longer];
  const channel = (mean, scale, across, down) => {
    const terms = [{ u: 0, v: 0, part: mean }];
    for (let v = 0; v < down; v++)
      for (let u = v ? 0 : 1; u * down < across * (down - v); u++)
        terms.push({ u, v, part: 2 * (take(4) / 7.5 - 1) * scale });
    const wave = (frequency, at) => Math.cos(Math.PI * frequency * at);
    return (x, y) => terms.reduce((sum, { u, v, part }) => sum + part * wave(u, x) * wave(v, y), 0);
  };
  const lumaAt = channel(luma, lumaScale, Math.max(3, across), Math.max(3, down));
  const yellowBlueAt = channel(yellowBlue, yellowBlueScale * SATURATION, 3, 3);
  const redGreenAt = channel(redGreen, redGreenScale * SATURATION, 3, 3);
  const alphaAt = hasAlpha ? channel(alpha, alphaScale, 5, 5) : () => 1;

  const ratio = across / down;
  const [width, height] = [Math.min(1, ratio), Math.min(1, 1 / ratio)].map((share) => Math.round(SIDE * share));
  const data = new Uint8ClampedArray(4 * width * height);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const at = [(column + 0.5) / width, (row + 0.5) / height];
      const [l, p, q] = [lumaAt(...at), yellowBlueAt(...at), redGreenAt(...at)];
      const blue = l - (2 / 3) * p;
      const red = (3 * l - blue + q) / 2;
      data.set([red, red - q, blue, alphaAt(...at)].map((part) => 255 * part), 4 * (row * width + column));
    }
  return { width, height, data };
}
